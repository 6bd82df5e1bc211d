//! What a request's method lets it do, with method overrides taken into account.

/// How dangerous a method is, from harmless to refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MethodKind {
    /// GET, HEAD, OPTIONS: read only (RFC 9110, section 9.2.1).
    Safe,
    /// Everything else, methods we do not know included.
    Unsafe,
    /// A WebSocket handshake: a GET, or a CONNECT in HTTP/2, that opens a channel with the session's authority and that
    /// no same-origin rule guards.
    WebSocketUpgrade,
    /// TRACE: echoes the request, cookies and all.
    Trace,
}

impl MethodKind {
    /// The same request as a WebSocket handshake.
    pub fn upgrading_to_websocket(self) -> Self {
        self.max(Self::WebSocketUpgrade)
    }

    /// The same request with a method override, of a header by which some frameworks replace the method.
    pub(crate) fn overridden_by(self, value: &[u8]) -> Self {
        self.max(Self::of_override(value))
    }

    /// Of a method as it stands on the request line. Methods are case-sensitive.
    fn of_method(method: &[u8]) -> Self {
        match method {
            b"GET" | b"HEAD" | b"OPTIONS" => Self::Safe,
            b"TRACE" => Self::Trace,
            _ => Self::Unsafe,
        }
    }

    /// Of a method in an override header: frameworks read those in any case.
    fn of_override(value: &[u8]) -> Self {
        let is = |method: &str| value.trim_ascii().eq_ignore_ascii_case(method.as_bytes());
        if ["GET", "HEAD", "OPTIONS"].into_iter().any(is) {
            Self::Safe
        } else if is("TRACE") {
            Self::Trace
        } else {
            Self::Unsafe
        }
    }
}

/// The method that counts: the most dangerous one that any layer behind us might act upon.
///
/// # Security
/// An override only ever makes a request more dangerous: GET with `X-HTTP-Method-Override: DELETE` is unsafe, and POST
/// with an override to GET stays unsafe. A value that is no method we know is unsafe. Overrides in the query or in a
/// form (`_method`) are not seen here; an app that honours them on GET declares the route `changes_state`.
///
/// # Examples
/// ```
/// use counterfoil_core::csrf::{MethodKind, effective_method};
///
/// assert_eq!(effective_method(b"GET", []), MethodKind::Safe);
/// assert_eq!(effective_method(b"GET", [b"delete".as_slice()]), MethodKind::Unsafe);
/// assert_eq!(effective_method(b"POST", [b"GET".as_slice()]), MethodKind::Unsafe);
/// ```
pub fn effective_method<'a>(method: &[u8], overrides: impl IntoIterator<Item = &'a [u8]>) -> MethodKind {
    overrides.into_iter().fold(MethodKind::of_method(method), MethodKind::overridden_by)
}
