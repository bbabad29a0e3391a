// SPDX-License-Identifier: MIT

// The types of messages and addresses that this module's own declarations speak of; no product offers them by themselves.
@_exported public import PortcullisHTTP
@_exported public import PortcullisTransport
