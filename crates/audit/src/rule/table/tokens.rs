//! What is wrong with tokens themselves.

use super::rules;

rules! {
    TOKEN_PREDICTABLE: "token-predictable", Tokens, Critical, "WSTG-SESS-01", "7.2.3", 340,
        "Session tokens can be computed from earlier ones, the time or the user",
        "Take at least 128 bits from the operating system's generator.";

    TOKEN_SHORT: "token-short", Tokens, High, "WSTG-SESS-01", "7.2.3", 331,
        "Session tokens have fewer bits than can be guessed",
        "Take at least 128 bits from the operating system's generator.";

    TOKEN_STATIC: "token-static", Tokens, High, "WSTG-SESS-01", "7.2.2", 330,
        "Everybody who signs in to an account gets the same token",
        "Make a new random token at each sign-in.";

    TOKEN_UNSIGNED: "token-unsigned", Tokens, Critical, "WSTG-SESS-10", "9.1.1", 345,
        "The token says who somebody is and nothing proves it",
        "Sign the token, and check the signature before anything in it is read; better, keep the data on the server.";

    TOKEN_ALG_NONE: "token-alg-none", Tokens, Critical, "WSTG-SESS-10", "9.1.2", 347,
        "A token that says it is unsigned is taken",
        "Allow one list of algorithms, from the configuration, never from the token.";

    TOKEN_ALG_CONFUSED: "token-alg-confused", Tokens, Critical, "WSTG-SESS-10", "9.1.2", 347,
        "A public key is taken for a shared secret",
        "Let each key have one algorithm.";

    TOKEN_SIGNATURE_IGNORED: "token-signature-ignored", Tokens, Critical, "WSTG-SESS-10", "9.1.1", 347,
        "A token with a broken signature is taken",
        "Check the signature before anything in the token is read.";

    TOKEN_KNOWN_SECRET: "token-known-secret", Tokens, Critical, "WSTG-SESS-10", "13.3.1", 1394,
        "The token is signed with a secret everybody knows",
        "Make a secret of at least 256 bits and keep it out of the source.";

    TOKEN_EXPIRY_IGNORED: "token-expiry-ignored", Tokens, High, "WSTG-SESS-10", "9.2.1", 613,
        "An expired token is taken",
        "Check exp and nbf of every token.";

    TOKEN_TELLS: "token-tells", Tokens, Low, "WSTG-SESS-04", "14.2.6", 315,
        "The token tells whoever holds it what the site knows about somebody",
        "Keep data on the server, or encrypt the token.";

    TOKEN_CROSS_USE: "token-cross-use", Tokens, High, "WSTG-SESS-10", "9.2.2", 345,
        "A token of one kind is taken for another",
        "Check typ and aud of every token.";
}
