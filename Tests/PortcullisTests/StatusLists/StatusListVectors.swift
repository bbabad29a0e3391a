// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// The vectors of the status list tests: B1, B2, B1-LONG and the signed example are from the draft.
///
/// draft-ietf-oauth-status-list §4.1, §5.1, test vectors.
enum StatusListVectors {
    static let issuer = "https://as.example.com"
    static let resource = "https://api.example.com/mcp"
    static let uri = "https://as.example.com/statuslists/1"

    /// The key that signs the access tokens and the list.
    static let key: JSONObject = [
        "kty": "EC", "crv": "P-256", "kid": "as-2027-2", "use": "sig", "alg": "ES256",
        "x": "KE3FzpMkj5KY6Kyxf4ihUcnu31mgxo5pYAO3lLZlAP0",
        "y": "iR3r7JpCLhHuA_ipcAblV14iu4OvUfjSynWa1-FPFsk",
    ]

    /// The key of the draft's signed example.
    static let draftKey: JSONObject = [
        "kty": "EC", "crv": "P-256", "kid": "12", "use": "sig", "alg": "ES256",
        "x": "I3HWm_0Ds1dPMI-IWmf4mBmH-YaeAVbPVu7vB27CxXo",
        "y": "6N_d5Elj9bs1htgV3okJKIdbHEpkgTmAluYKJemzn1M",
    ]

    /// Arrays with the width of their entries, the inflated bytes in hexadecimal, and the entries.
    static let arrays: [(name: String, bits: Int, lst: String, hex: String, entries: [UInt8])] = [
        ("B1", 1, "eNrbuRgAAhcBXQ", "b9a3", [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]),
        ("B2", 2, "eNo76fITAAPfAgc", "c944f9", [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]),
        ("B4", 4, "eNoTMAopm7Hrzj8ADXAEOQ", "1032547698badcfe", Array(0...15)),
        ("B8", 8, "eNpjYGT69x8AAwoCAQ", "000102feff", [0, 1, 2, 254, 255]),
    ]

    /// Streams that are not exactly one zlib stream.
    static let malformed = [
        "Z-RAW": "O-nyEwA", "Z-GZIP": "H4sIAAAAAAACAzvp8hMAZLRLMQMAAAA", "Z-ADLER": "eNo76fITAAPfAgY",
        "Z-CUT": "eNo76fITAA", "Z-TAIL": "eNo76fITAAPfAgcA", "Z-DICT": "ePkWwAQ3O-nyEwAD3wIH",
    ]

    /// 1 048 576 zeros.
    static let bomb =
        "eNrtwTEBAAAAwqD1T20IX6" + String(repeating: "A", count: 1355) + "D4DAPAAAQ"

    static let longPlaces: Set<Int> = [
        0, 1993, 25_460, 159_495, 495_669, 554_353, 645_645, 723_232, 854_545, 934_534, 1_000_345,
    ]
    static let longHash = "f2529d5d7b48665f8be86037b271b92a9cc7690a42688193d3c97baf2a1e4794"
    static let long =
        "eNrt3AENwCAMAEGogklACtKQPg9LugC9k_ACvreiogEAAKkeCQAAAAAAAAAAAAAAAAAAAIBylgQAAAAAAAAAAAAAAAAAAAAA"
        + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAXG9IAAAAAAAAAPwsJAAAAAAAAAAAAAAAvhsSAAAAAAAAAAAA7KpLAAAAAAAAAAAA"
        + "AAAAAAAAAJsLCQAAAAAAAAAAADjelAAAAAAAAAAAKjDMAQAAAACAZC8L2AEb"

    static let draftList =
        "eyJhbGciOiJFUzI1NiIsImtpZCI6IjEyIiwidHlwIjoic3RhdHVzbGlzdCtqd3QifQ.eyJleHAiOjIyOTE3MjAxNzAsImlhd"
        + "CI6MTY4NjkyMDE3MCwiaXNzIjoiaHR0cHM6Ly9leGFtcGxlLmNvbSIsInN0YXR1c19saXN0Ijp7ImJpdHMiOjEsImxzdCI6I"
        + "mVOcmJ1UmdBQWhjQlhRIn0sInN1YiI6Imh0dHBzOi8vZXhhbXBsZS5jb20vc3RhdHVzbGlzdHMvMSIsInR0bCI6NDMyMDB9."
        + "2lKUUNG503R9htu4aHAYi7vjmr3sgApbfoDvPrl65N3URUO1EYqqQl45Jfzd-Av4QzlKa3oVALpLwOEUOq-U_g"

    static let list =
        "eyJ0eXAiOiJzdGF0dXNsaXN0K2p3dCIsImFsZyI6IkVTMjU2Iiwia2lkIjoiYXMtMjAyNy0yIn0.eyJzdWIiOiJodHRwczov"
        + "L2FzLmV4YW1wbGUuY29tL3N0YXR1c2xpc3RzLzEiLCJpYXQiOjE3OTk5OTk5NDAsImV4cCI6MTgwMDAwMzYwMCwidHRsIjoz"
        + "MDAsInN0YXR1c19saXN0Ijp7ImJpdHMiOjIsImxzdCI6ImVObzc2ZklUQUFQZkFnYyJ9fQ.XE-v-7eBNQjAgIrJVPASzyO6q"
        + "tZpmzPyf1xyG6MZuNEERZo5D07rgfhMI6foz0prV6i-05j7IPfRXXb7KPpNgg"

    /// Access tokens by their place in the list.
    static let tokens: [Int: String] = [
        0:
            "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFUzI1NiIsImtpZCI6ImFzLTIwMjctMiJ9.eyJpc3MiOiJodHRwczovL2FzLmV4YW1"
            + "wbGUuY29tIiwic3ViIjoidXNlci0xIiwiYXVkIjoiaHR0cHM6Ly9hcGkuZXhhbXBsZS5jb20vbWNwIiwiY2xpZW50X2lkIjo"
            + "iY2xpZW50LTEiLCJpYXQiOjE3OTk5OTk5NDAsImV4cCI6MTgwMDAwMzYwMCwianRpIjoiYXQtMCIsInNjb3BlIjoibWNwOnJ"
            + "lYWQiLCJzdGF0dXMiOnsic3RhdHVzX2xpc3QiOnsiaWR4IjowLCJ1cmkiOiJodHRwczovL2FzLmV4YW1wbGUuY29tL3N0YXR"
            + "1c2xpc3RzLzEifX19.mMaFF0bMmsYhUIA65HDkYRDsYOe79S-nl8xK4R-x4foKzqUBkDXW8bZJpzrP48NskGBAsjtIT7y2gZ"
            + "FvrrBssQ",
        1:
            "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFUzI1NiIsImtpZCI6ImFzLTIwMjctMiJ9.eyJpc3MiOiJodHRwczovL2FzLmV4YW1"
            + "wbGUuY29tIiwic3ViIjoidXNlci0xIiwiYXVkIjoiaHR0cHM6Ly9hcGkuZXhhbXBsZS5jb20vbWNwIiwiY2xpZW50X2lkIjo"
            + "iY2xpZW50LTEiLCJpYXQiOjE3OTk5OTk5NDAsImV4cCI6MTgwMDAwMzYwMCwianRpIjoiYXQtMSIsInNjb3BlIjoibWNwOnJ"
            + "lYWQiLCJzdGF0dXMiOnsic3RhdHVzX2xpc3QiOnsiaWR4IjoxLCJ1cmkiOiJodHRwczovL2FzLmV4YW1wbGUuY29tL3N0YXR"
            + "1c2xpc3RzLzEifX19.ykqT3xSbp9kw_n8TsJTl43PCQbZhbv7z68BOtXK0ZKYUMaBhT_nDzxSKLZNe4gcH7mfhDvE2JVriTj"
            + "DG5urs7w",
        2:
            "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFUzI1NiIsImtpZCI6ImFzLTIwMjctMiJ9.eyJpc3MiOiJodHRwczovL2FzLmV4YW1"
            + "wbGUuY29tIiwic3ViIjoidXNlci0xIiwiYXVkIjoiaHR0cHM6Ly9hcGkuZXhhbXBsZS5jb20vbWNwIiwiY2xpZW50X2lkIjo"
            + "iY2xpZW50LTEiLCJpYXQiOjE3OTk5OTk5NDAsImV4cCI6MTgwMDAwMzYwMCwianRpIjoiYXQtMiIsInNjb3BlIjoibWNwOnJ"
            + "lYWQiLCJzdGF0dXMiOnsic3RhdHVzX2xpc3QiOnsiaWR4IjoyLCJ1cmkiOiJodHRwczovL2FzLmV4YW1wbGUuY29tL3N0YXR"
            + "1c2xpc3RzLzEifX19.EJsIRbwMkTV6NBfJyUwsLD4zgi2dyPq1drvWsh8S9t0sF66DmUpK6-bx2eCOvd764a4HgaL_k-L5je"
            + "pvrR6NKQ",
        3:
            "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFUzI1NiIsImtpZCI6ImFzLTIwMjctMiJ9.eyJpc3MiOiJodHRwczovL2FzLmV4YW1"
            + "wbGUuY29tIiwic3ViIjoidXNlci0xIiwiYXVkIjoiaHR0cHM6Ly9hcGkuZXhhbXBsZS5jb20vbWNwIiwiY2xpZW50X2lkIjo"
            + "iY2xpZW50LTEiLCJpYXQiOjE3OTk5OTk5NDAsImV4cCI6MTgwMDAwMzYwMCwianRpIjoiYXQtMyIsInNjb3BlIjoibWNwOnJ"
            + "lYWQiLCJzdGF0dXMiOnsic3RhdHVzX2xpc3QiOnsiaWR4IjozLCJ1cmkiOiJodHRwczovL2FzLmV4YW1wbGUuY29tL3N0YXR"
            + "1c2xpc3RzLzEifX19.cJhNoVNsO8zbGZn1AFhEFeFNpZ9omFT47JuAPqCFnLvuFc8e8mdYOIwBrn0I-F0KgU0FiwHsKrKkcq"
            + "AiOK2qyw",
        12:
            "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFUzI1NiIsImtpZCI6ImFzLTIwMjctMiJ9.eyJpc3MiOiJodHRwczovL2FzLmV4YW1"
            + "wbGUuY29tIiwic3ViIjoidXNlci0xIiwiYXVkIjoiaHR0cHM6Ly9hcGkuZXhhbXBsZS5jb20vbWNwIiwiY2xpZW50X2lkIjo"
            + "iY2xpZW50LTEiLCJpYXQiOjE3OTk5OTk5NDAsImV4cCI6MTgwMDAwMzYwMCwianRpIjoiYXQtMTIiLCJzY29wZSI6Im1jcDp"
            + "yZWFkIiwic3RhdHVzIjp7InN0YXR1c19saXN0Ijp7ImlkeCI6MTIsInVyaSI6Imh0dHBzOi8vYXMuZXhhbXBsZS5jb20vc3R"
            + "hdHVzbGlzdHMvMSJ9fX0.dStuZi8UxYr81vCUNvoeTYeVoV-cXCyeLnyi5WemaS0ntJbOEkCvrrqEwxoaT7N8UzLo6dqorCT"
            + "wCEm3YOFCvA",
    ]
}
