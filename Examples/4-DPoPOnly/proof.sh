# SPDX-License-Identifier: MIT
#
# For bash, with `.`: a new key of a client, and a function that prints proofs of possession (RFC 9449 §4.2).
#
#   proof METHOD URL [TOKEN [NONCE]]

PROOF_FOLDER=$(mktemp -d)
openssl genpkey -algorithm ed25519 -out "$PROOF_FOLDER/client.key"

base64url() { openssl base64 -A | tr '+/' '-_' | tr -d =; }

proof() {
    local key header claims signed
    key=$(openssl pkey -in "$PROOF_FOLDER/client.key" -pubout -outform DER | tail -c 32 | base64url)
    header='{"typ":"dpop+jwt","alg":"Ed25519","jwk":{"kty":"OKP","crv":"Ed25519","x":"'$key'"}}'
    claims='"jti":"'$(openssl rand -hex 12)'","htm":"'$1'","htu":"'$2'","iat":'$(date +%s)
    [ -z "${3-}" ] || claims+=',"ath":"'$(printf %s "$3" | openssl sha256 -binary | base64url)'"'
    [ -z "${4-}" ] || claims+=',"nonce":"'$4'"'
    signed=$(printf %s "$header" | base64url).$(printf '{%s}' "$claims" | base64url)
    printf %s "$signed" >"$PROOF_FOLDER/signed"
    printf '%s.%s\n' "$signed" \
        "$(openssl pkeyutl -sign -rawin -inkey "$PROOF_FOLDER/client.key" -in "$PROOF_FOLDER/signed" | base64url)"
}
