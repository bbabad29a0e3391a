// SPDX-License-Identifier: MIT

/// The registered final statuses.
///
/// IANA, HTTP Status Code Registry; RFC 9110 §15.
extension Status {
    /// 200.
    public static let ok: Status = 200
    /// 201.
    public static let created: Status = 201
    /// 202.
    public static let accepted: Status = 202
    /// 203.
    public static let nonAuthoritativeInformation: Status = 203
    /// 204.
    public static let noContent: Status = 204
    /// 205.
    public static let resetContent: Status = 205
    /// 206.
    public static let partialContent: Status = 206
    /// 207.
    public static let multiStatus: Status = 207
    /// 208.
    public static let alreadyReported: Status = 208
    /// 226.
    public static let imUsed: Status = 226
    /// 300.
    public static let multipleChoices: Status = 300
    /// 301.
    public static let movedPermanently: Status = 301
    /// 302.
    public static let found: Status = 302
    /// 303.
    public static let seeOther: Status = 303
    /// 304.
    public static let notModified: Status = 304
    /// 307.
    public static let temporaryRedirect: Status = 307
    /// 308.
    public static let permanentRedirect: Status = 308
    /// 400.
    public static let badRequest: Status = 400
    /// 401.
    public static let unauthorized: Status = 401
    /// 402.
    public static let paymentRequired: Status = 402
    /// 403.
    public static let forbidden: Status = 403
    /// 404.
    public static let notFound: Status = 404
    /// 405.
    public static let methodNotAllowed: Status = 405
    /// 406.
    public static let notAcceptable: Status = 406
    /// 407.
    public static let proxyAuthenticationRequired: Status = 407
    /// 408.
    public static let requestTimeout: Status = 408
    /// 409.
    public static let conflict: Status = 409
    /// 410.
    public static let gone: Status = 410
    /// 411.
    public static let lengthRequired: Status = 411
    /// 412.
    public static let preconditionFailed: Status = 412
    /// 413.
    public static let contentTooLarge: Status = 413
    /// 414.
    public static let uriTooLong: Status = 414
    /// 415.
    public static let unsupportedMediaType: Status = 415
    /// 416.
    public static let rangeNotSatisfiable: Status = 416
    /// 417.
    public static let expectationFailed: Status = 417
    /// 421.
    public static let misdirectedRequest: Status = 421
    /// 422.
    public static let unprocessableContent: Status = 422
    /// 423.
    public static let locked: Status = 423
    /// 424.
    public static let failedDependency: Status = 424
    /// 425.
    public static let tooEarly: Status = 425
    /// 426.
    public static let upgradeRequired: Status = 426
    /// 428.
    public static let preconditionRequired: Status = 428
    /// 429.
    public static let tooManyRequests: Status = 429
    /// 431.
    public static let requestHeaderFieldsTooLarge: Status = 431
    /// 451.
    public static let unavailableForLegalReasons: Status = 451
    /// 500.
    public static let internalServerError: Status = 500
    /// 501.
    public static let notImplemented: Status = 501
    /// 502.
    public static let badGateway: Status = 502
    /// 503.
    public static let serviceUnavailable: Status = 503
    /// 504.
    public static let gatewayTimeout: Status = 504
    /// 505.
    public static let httpVersionNotSupported: Status = 505
    /// 506.
    public static let variantAlsoNegotiates: Status = 506
    /// 507.
    public static let insufficientStorage: Status = 507
    /// 508.
    public static let loopDetected: Status = 508
    /// 511.
    public static let networkAuthenticationRequired: Status = 511
}
