// A twin on express-session. Started by `corpus`; CORPUS_FLAWED=1 is the vulnerable one.

const { randomBytes } = require("node:crypto");
const express = require("express");
const session = require("express-session");

const people = JSON.parse(process.env.CORPUS_PEOPLE);
const headers = JSON.parse(process.env.CORPUS_HEADERS);
const flawed = process.env.CORPUS_FLAWED === "1";
const notes = Object.fromEntries(Object.keys(people).map((name) => [name, []]));

const app = express();
app.disable("x-powered-by");
app.use((request, response, next) => {
  // Loopback counts as secure here, as it does for browsers.
  Object.defineProperty(request, "secure", { value: true });
  response.set(headers);
  next();
});
app.use(
  session({
    secret: randomBytes(32).toString("hex"),
    resave: false,
    saveUninitialized: true,
    cookie: { secure: true, httpOnly: true, ...(flawed ? {} : { sameSite: "lax" }) },
  }),
);
app.use(express.urlencoded({ extended: false }));

const token = (request) => (request.session.csrf ??= randomBytes(16).toString("hex"));
const form = (request, action, inner) =>
  `<form method="post" action="${action}"><input type="hidden" name="_csrf" value="${token(request)}">${inner}</form>`;
const page = (inner) => `<!doctype html><html><body>${inner}</body></html>`;
const checked = (request, response, next) =>
  request.body?._csrf === token(request) ? next() : response.status(403).send("The form is too old.");

app.get("/dashboard", (request, response) => {
  const { user } = request.session;
  if (!user) return response.send(page('<p>Nobody is signed in. <a href="/login">Sign in</a></p>'));
  const list = notes[user].map((note) => `<li>${note.replaceAll("<", "&lt;")}</li>`).join("");
  response.send(
    page(
      `<p>Logged in as <b>${user}</b></p><ul>${list}</ul>` +
        form(request, "/notes", '<input name="text"><button>Add</button>') +
        form(request, "/logout", "<button>Log out</button>"),
    ),
  );
});
app.get("/login", (request, response) =>
  response.send(page(form(request, "/login", '<input name="email"><input type="password" name="pw"><button>In</button>'))),
);
app.post("/login", checked, (request, response, next) => {
  const { email, pw } = request.body;
  if (!Object.hasOwn(people, email) || people[email] !== pw) return response.status(401).send("Wrong name or password.");
  const enter = () => {
    request.session.user = email;
    request.session.csrf = randomBytes(16).toString("hex");
    request.session.save((error) => (error ? next(error) : response.redirect(303, "/dashboard")));
  };
  if (flawed) return enter();
  request.session.regenerate((error) => (error ? next(error) : enter()));
});
app.post("/logout", checked, (request, response, next) => {
  const gone = () => response.clearCookie("connect.sid").redirect(303, "/dashboard");
  if (flawed) return gone();
  request.session.destroy((error) => (error ? next(error) : gone()));
});
app.post("/notes", checked, (request, response) => {
  const { user } = request.session;
  if (!user) return response.redirect(303, "/login");
  notes[user].push(String(request.body.text ?? ""));
  notes[user].splice(0, notes[user].length - 50);
  response.redirect(303, "/dashboard");
});

app.listen(Number(process.env.CORPUS_PORT), "127.0.0.1");
