// SPDX-License-Identifier: MIT
// OpenSSL 3 for Swift: its headers, and static inline functions for macros that Swift's importer cannot import.

#ifndef PORTCULLIS_COPENSSL_H
#define PORTCULLIS_COPENSSL_H

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#if OPENSSL_VERSION_NUMBER < 0x30000000L
#error "Portcullis needs OpenSSL 3."
#endif

/* The selections of EVP_PKEY_fromdata. */

static inline int COpenSSL_EVP_PKEY_KEY_PARAMETERS(void) { return EVP_PKEY_KEY_PARAMETERS; }

static inline int COpenSSL_EVP_PKEY_PUBLIC_KEY(void) { return EVP_PKEY_PUBLIC_KEY; }

static inline int COpenSSL_EVP_PKEY_KEYPAIR(void) { return EVP_PKEY_KEYPAIR; }

/* A socket BIO like OpenSSL's own, whose writes do not raise SIGPIPE. */

#if !defined(MSG_NOSIGNAL)
#define MSG_NOSIGNAL 0  // SO_NOSIGPIPE is set on the socket
#endif

/// The maximum length of a ClientHello. OpenSSL allocates the length that the client announces, up to 128 KiB.
#define COPENSSL_LONGEST_CLIENT_HELLO 16384

struct COpenSSL_socket {
    int descriptor;
    /// The number of reads that the next call may make; negative: unlimited.
    int reads;
    /// Whether the limit stopped the call.
    int stopped;
    /// The number of a client's first bytes that have not been checked yet.
    int unseen;
    /// The record header, then the header of its handshake message. RFC 8446 sections 4 and 5.1.
    unsigned char start[9];
};

/// Whether a client's first bytes are acceptable: the header of the ClientHello is whole in the first record and announces at most
/// the maximum length. Returns 1 until enough bytes have arrived.
static inline int COpenSSL_socket_admits(struct COpenSSL_socket *socket, const char *bytes, ssize_t count) {
    const unsigned char *start = socket->start;
    for (; count > 0 && socket->unseen > 0; count--, socket->unseen--)
        socket->start[(int)sizeof socket->start - socket->unseen] = (unsigned char)*bytes++;
    if (socket->unseen > 0) return 1;
    return ((start[3] << 8) | start[4]) >= 4 && ((start[6] << 16) | (start[7] << 8) | start[8]) <= COPENSSL_LONGEST_CLIENT_HELLO;
}

static inline int COpenSSL_socket_write(BIO *bio, const char *bytes, int count) {
    struct COpenSSL_socket *socket = (struct COpenSSL_socket *)BIO_get_data(bio);
    ssize_t sent;
    BIO_clear_retry_flags(bio);
    do {
        sent = send(socket->descriptor, bytes, (size_t)count, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) BIO_set_retry_write(bio);
    return (int)sent;
}

static inline int COpenSSL_socket_read(BIO *bio, char *bytes, int count) {
    struct COpenSSL_socket *socket = (struct COpenSSL_socket *)BIO_get_data(bio);
    ssize_t received;
    BIO_clear_retry_flags(bio);
    if (socket->reads == 0) {
        socket->stopped = 1;
        BIO_set_retry_read(bio);
        errno = EAGAIN;
        return -1;
    }
    if (socket->reads > 0) socket->reads--;
    do {
        received = recv(socket->descriptor, bytes, (size_t)count, 0);
    } while (received < 0 && errno == EINTR);
    if (received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) BIO_set_retry_read(bio);
    if (received == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    if (received > 0 && socket->unseen > 0 && !COpenSSL_socket_admits(socket, bytes, received)) {
        errno = EMSGSIZE;
        return -1;
    }
    return (int)received;
}

static inline int COpenSSL_socket_destroy(BIO *bio) {
    if (bio == NULL) return 0;
    OPENSSL_free(BIO_get_data(bio));
    BIO_set_data(bio, NULL);
    return 1;
}

static inline long COpenSSL_socket_control(BIO *bio, int command, long number, void *pointer) {
    (void)number;
    (void)pointer;
    switch (command) {
        case BIO_CTRL_EOF: return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
        case BIO_CTRL_FLUSH:
        case BIO_CTRL_DUP: return 1;
        default: return 0;
    }
}

/// A BIO method for borrowed sockets: freeing the BIO does not close the socket. NULL if out of memory.
static inline BIO_METHOD *COpenSSL_socket_method(void) {
    // BIO_get_new_index is not called: indices are few and cannot be freed, and nothing looks this one up.
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_START | BIO_TYPE_SOURCE_SINK | BIO_TYPE_DESCRIPTOR, "portcullis socket");
    if (method == NULL) return NULL;
    if (BIO_meth_set_write(method, COpenSSL_socket_write) == 1 && BIO_meth_set_read(method, COpenSSL_socket_read) == 1
        && BIO_meth_set_ctrl(method, COpenSSL_socket_control) == 1 && BIO_meth_set_destroy(method, COpenSSL_socket_destroy) == 1)
        return method;
    BIO_meth_free(method);
    return NULL;
}

/// Creates a BIO; a server's BIO checks the first bytes of the connection.
static inline BIO *COpenSSL_socket_new(const BIO_METHOD *method, int descriptor, int is_server) {
    struct COpenSSL_socket *socket = (struct COpenSSL_socket *)OPENSSL_zalloc(sizeof *socket);
    BIO *bio = socket == NULL ? NULL : BIO_new(method);
    if (bio == NULL) {
        OPENSSL_free(socket);
        return NULL;
    }
    socket->descriptor = descriptor;
    socket->reads = -1;
    socket->unseen = is_server ? (int)sizeof socket->start : 0;
    BIO_set_data(bio, socket);
    BIO_set_init(bio, 1);
    return bio;
}

/// Limits the reads of the next call: records without data, such as key updates, could arrive forever.
static inline void COpenSSL_socket_limit(BIO *bio, int reads) {
    struct COpenSSL_socket *socket = (struct COpenSSL_socket *)BIO_get_data(bio);
    socket->reads = reads;
    socket->stopped = 0;
}

/// Whether the limit, not the socket, made a call return SSL_ERROR_WANT_READ.
static inline int COpenSSL_socket_was_stopped(BIO *bio) {
    return ((struct COpenSSL_socket *)BIO_get_data(bio))->stopped;
}

static inline int COpenSSL_SSL_CTX_set_min_proto_version(SSL_CTX *context, int version) {
    return (int)SSL_CTX_set_min_proto_version(context, version);
}

static inline long COpenSSL_SSL_CTX_set_mode(SSL_CTX *context, long mode) { return SSL_CTX_set_mode(context, mode); }

static inline int COpenSSL_SSL_CTX_add1_chain_cert(SSL_CTX *context, X509 *certificate) {
    return (int)SSL_CTX_add1_chain_cert(context, certificate);
}

static inline void COpenSSL_SSL_CTX_without_session_cache(SSL_CTX *context) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

/// Initializes the cipher, to encrypt or decrypt, and the MAC of a session ticket, each with a 32-byte key.
/// Returns 1 on success.
static inline int COpenSSL_ticket_init(EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, const unsigned char *keys, const unsigned char *vector,
    int encrypts) {
    OSSL_PARAM parameters[3];
    parameters[0] = OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)(keys + 32), 32);
    parameters[1] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0);
    parameters[2] = OSSL_PARAM_construct_end();
    return EVP_MAC_CTX_set_params(mac, parameters) == 1
        && EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, keys, vector, encrypts) == 1;
}

static inline void COpenSSL_SSL_CTX_read_ahead(SSL_CTX *context) { SSL_CTX_set_read_ahead(context, 1); }

static inline void COpenSSL_SSL_CTX_set_max_cert_list(SSL_CTX *context, long bytes) {
    SSL_CTX_set_max_cert_list(context, bytes);
}

static inline int COpenSSL_SSL_set_tlsext_host_name(SSL *ssl, const char *name) {
    return (int)SSL_set_tlsext_host_name(ssl, name);
}

static const uint64_t COPENSSL_SSL_OP_NO_RENEGOTIATION = SSL_OP_NO_RENEGOTIATION;
static const uint64_t COPENSSL_SSL_OP_NO_COMPRESSION = SSL_OP_NO_COMPRESSION;
static const uint64_t COPENSSL_SSL_OP_CIPHER_SERVER_PREFERENCE = SSL_OP_CIPHER_SERVER_PREFERENCE;
static const uint64_t COPENSSL_SSL_OP_PRIORITIZE_CHACHA = SSL_OP_PRIORITIZE_CHACHA;
static const uint64_t COPENSSL_SSL_OP_IGNORE_UNEXPECTED_EOF = SSL_OP_IGNORE_UNEXPECTED_EOF;
static const unsigned int COPENSSL_NAME_CHECKS = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;

/// The number of certificates and CRLs in a store.
static inline int COpenSSL_X509_STORE_count(X509_STORE *store) {
    return sk_X509_OBJECT_num(X509_STORE_get0_objects(store));
}

/// The password callback: without it OpenSSL would prompt on the terminal.
static inline int COpenSSL_no_password(char *buffer, int size, int writing, void *context) {
    (void)buffer;
    (void)size;
    (void)writing;
    (void)context;
    return -1;
}

static inline EVP_PKEY *COpenSSL_PEM_read_private_key(BIO *bio) {
    return PEM_read_bio_PrivateKey(bio, NULL, COpenSSL_no_password, NULL);
}

#endif
