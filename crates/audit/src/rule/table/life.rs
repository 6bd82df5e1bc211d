//! What is wrong with how sessions begin, change and end.

use super::rules;

rules! {
    FIXATION_KEPT: "fixation-kept", Fixation, High, "WSTG-SESS-03", "7.2.4", 384,
        "The session somebody had before signing in is the session they are signed in with",
        "Make a new session at sign-in and end the old one; carry over data, never the id.";

    FIXATION_ADOPTED: "fixation-adopted", Fixation, High, "WSTG-SESS-03", "7.2.4", 384,
        "A session id the site never made is taken on at sign-in",
        "Refuse ids that the server did not make, and make a new one at sign-in.";

    FIXATION_URL: "fixation-url", Fixation, High, "WSTG-SESS-03", "7.2.4", 384,
        "A session id from an address is taken on",
        "Read the session id from the cookie alone.";

    FIXATION_FORM: "fixation-form", Fixation, High, "WSTG-SESS-03", "7.2.4", 384,
        "A session id from a form field is taken on",
        "Read the session id from the cookie alone.";

    ROTATION_NONE: "rotation-none", Rotation, Medium, "WSTG-SESS-03", "7.2.4", 384,
        "Signing in again leaves the token as it was",
        "Make a new token whenever somebody proves who they are.";

    ROTATION_OLD_ALIVE: "rotation-old-alive", Rotation, Medium, "WSTG-SESS-03", "7.2.4", 613,
        "The token from before signing in again still works",
        "End the old token when the new one is made.";

    ROTATION_RAISE_NONE: "rotation-raise-none", Rotation, Medium, "WSTG-SESS-03", "7.2.4", 384,
        "More rights come without a new token",
        "Make a new token at step-up and at every change of privilege, and end the old one.";

    ROTATION_RAISE_OLD_ALIVE: "rotation-raise-old-alive", Rotation, High, "WSTG-SESS-03", "7.2.4", 613,
        "The token from before a step-up has the rights of after it",
        "End the old token when the new one is made.";

    SIGN_OUT_NO_EFFECT: "sign-out-no-effect", SignOut, High, "WSTG-SESS-06", "7.4.1", 613,
        "Whoever signed out is still signed in",
        "End the session on the server and remove the cookie.";

    SIGN_OUT_REPLAY: "sign-out-replay", SignOut, High, "WSTG-SESS-06", "7.4.1", 613,
        "A copy of the cookie works after sign-out",
        "End the session on the server; removing the cookie only asks one browser to forget it.";

    SIGN_OUT_BEARER_ALIVE: "sign-out-bearer-alive", SignOut, High, "WSTG-SESS-06", "7.4.1", 613,
        "The access token works after sign-out",
        "Let the access token's validity depend on the session, or keep a list of ended ones for as long as they would live.";

    SIGN_OUT_REFRESH_ALIVE: "sign-out-refresh-alive", SignOut, High, "WSTG-SESS-06", "7.4.1", 613,
        "The refresh token gives new access tokens after sign-out",
        "End the whole chain of refresh tokens at sign-out.";

    SIGN_OUT_REVIVED: "sign-out-revived", SignOut, High, "WSTG-SESS-06", "7.4.1", 362,
        "A request under way brings the session back after sign-out",
        "Let nothing write a session that is no longer there: create, update and end are different operations.";

    SIGN_OUT_MISSING: "sign-out-missing", SignOut, Medium, "WSTG-SESS-06", "7.4.4", 613,
        "Signed-in pages show no way out",
        "Show a way to sign out on every page for signed-in people.";

    IDLE_NOT_ENFORCED: "idle-not-enforced", Expiry, Medium, "WSTG-SESS-07", "7.3.1", 613,
        "A session that nobody uses outlives the stated limit",
        "Keep on the server when a session was last used, and judge by it at every request.";

    ABSOLUTE_NOT_ENFORCED: "absolute-not-enforced", Expiry, Medium, "WSTG-SESS-07", "7.3.2", 613,
        "A session that is used outlives the stated limit",
        "Keep on the server when somebody signed in, and judge by it at every request.";

    EXPIRY_CLIENT_CLOCK: "expiry-client-clock", Expiry, High, "WSTG-SESS-07", "7.3.2", 302,
        "The client can say itself how old its session is",
        "Keep times on the server, or below a signature.";
}
