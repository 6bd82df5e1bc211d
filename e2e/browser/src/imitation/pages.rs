//! The pages of the imitations: as little of the demo's as the cases need.

/// A page with what all have: who is there, the way to other pages, and the forms of the demo.
pub(super) fn around(member: bool, content: &str) -> String {
    let who = if member {
        "<form method=post action=/logout>Welcome back, ada. Signed in as <strong>ada</strong><button>Sign out</button></form>"
    } else {
        "<a href=\"/login\">Sign in</a>"
    };
    format!(
        "<title>an imitation</title><a href=\"#content\">Skip</a><a href=\"/counter\">Counter</a>{who}\
         <main id=content>{content}\
         <form method=post action=/counter><input type=hidden name=csrf_token value=none><button>Count</button></form>\
         <form method=post action=/note><input name=key><input name=value><button>Save</button></form>\
         <form method=post action=/step-up><input name=password type=password><button>Confirm</button></form></main>"
    )
}

pub(super) fn login(username: &str) -> String {
    format!(
        "<p>{username}</p><form method=post action=/login><input id=username name=username>\
         <input id=password name=password type=password><input name=remember type=checkbox><button>Sign in</button></form>"
    )
}

pub(super) fn note(key: &str, value: &str) -> String {
    format!("<dl><dt>{key}</dt><dd>{value}</dd></dl>")
}

pub(super) const LOGIN_BY_SCRIPT: &str = "<form><input id=username><input id=password type=password><button type=button onclick=send()>Sign in</button></form>";
pub(super) const WIDE: &str = "<div style=\"width:2000px\">wide</div><hr width=2000>";
