//! `counterfoil config shared-key`: what an app that verifies HS256 has to be told.

use super::running::{FILE, Gateway, configured, counterfoil};

#[test]
fn an_apps_own_key_is_handed_out_to_who_asks_for_it_and_with_the_next_one_when_they_rotate() {
    let (home, file) = configured();
    let wiki = FILE.replace("proxy = \"nginx\"\n", "proxy = \"nginx\"\nassertion = \"hs256\"\n");
    let shop = "[apps.shop]\norigins = [\"https://shop.example\"]\nproxy = \"nginx\"\n\
                rules = [{ path = \"/*\", access = \"signed-in\" }]\n";
    std::fs::write(&file, format!("{wiki}{shop}")).unwrap();
    let (file, out) = (file.to_str().unwrap(), home.path().join("out"));
    let run = |arguments: &[&str]| {
        let output = counterfoil(home.path(), arguments).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    };
    let shared = |app: &str, more: &[&str]| {
        let asked = ["config", "shared-key", app, "--config", file];
        run(&[&asked, more].concat())
    };
    let (code, _, told) = shared("wiki", &["--print"]);
    assert!(
        code == 1 && told.contains("assertion-keys: there are no keys yet; `counterfoil serve` makes them"),
        "{told}"
    );
    Gateway::start(counterfoil(home.path(), &["serve", "--config", file])).stop();

    for (app, more, said) in [
        ("shop", &["--print"][..], "has assertion = \"es256\", whose keys are published"),
        ("blog", &["--print"], "there is no app `blog`; the configuration has wiki, shop"),
        ("wiki", &[], "--out"),
        ("wiki", &["--print", "--out", "x"], "cannot be used with"),
    ] {
        let (code, out, told) = shared(app, more);
        assert_eq!((code, out.as_str()), (2, ""), "{told}");
        assert!(told.contains(said), "{told}");
    }
    let (code, printed, told) = shared("wiki", &["--print"]);
    assert_eq!(code, 0, "{told}");
    let (kid, key) = printed.trim().split_once("-hs256=").unwrap();
    assert!(key.len() == 43 && !told.contains(key) && told.contains("counterfoil keys rotate --file "), "{told}");

    let keys = home.path().join("data/assertion-keys");
    assert_eq!(run(&["keys", "rotate", "--file", keys.to_str().unwrap()]).0, 0);
    let (code, said, told) = shared("wiki", &["--out", out.to_str().unwrap()]);
    assert!(code == 0 && said.contains(&format!("out: {kid}-hs256, ")) && !said.contains(key), "{said}{told}");
    let written = std::fs::read_to_string(&out).unwrap();
    assert!(
        written.starts_with(printed.trim()) && written.trim().split(' ').count() == 2,
        "the one that signs is first"
    );
}
