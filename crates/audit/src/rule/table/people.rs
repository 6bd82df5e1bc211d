//! Several sessions of one account, and half a sign-in.

use super::rules;

rules! {
    SESSIONS_UNSEEN: "sessions-unseen", Concurrency, Low, "WSTG-SESS-11", "7.5.2", 778,
        "People do not see where they are signed in",
        "Show every session, and let people end each.";

    SESSIONS_UNLIMITED: "sessions-unlimited", Concurrency, Info, "WSTG-SESS-11", "7.1.2", 770,
        "One account can have any number of sessions at once",
        "State how many sessions there may be and what happens beyond.";

    PASSWORD_CHANGE_KEEPS: "password-change-keeps", Concurrency, High, "WSTG-SESS-11", "7.4.3", 613,
        "Other sessions outlive a change of the password",
        "End all other sessions when a factor changes.";

    REPLAY_ELSEWHERE: "replay-elsewhere", Concurrency, Info, "WSTG-SESS-09", "7.2.1", 294,
        "A copied cookie works from another client",
        "Bind the session to a key of the device, or watch for changes of client and network.";

    PENDING_SECOND_FACTOR: "pending-second-factor", Pending, Critical, "WSTG-ATHN-11", "6.3.3", 304,
        "One of two factors is enough",
        "Let a session that has done one factor reach nothing but the second.";

    PENDING_RESET: "pending-reset", Pending, Critical, "WSTG-SESS-08", "6.4.3", 640,
        "Asking for a new password is enough to be signed in",
        "Let a reset flow's session reach nothing but the reset.";
}
