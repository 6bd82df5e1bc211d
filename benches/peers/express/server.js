// The route behind express-session, its store in memory; or, with `--bare`, behind nothing.
// As `benches/src/server.rs`: prints its address, and answers each line with the microseconds of CPU it has used.

import { createInterface } from "node:readline";
import express from "express";
import session from "express-session";

const BODY = "one route, the same body, nothing else";

const app = express();
if (process.argv.includes("--bare")) {
  app.get("/", (_request, response) => response.send(BODY));
} else {
  app.use(session({ secret: "bench", resave: false, saveUninitialized: false }));
  app.get("/signed-in", (request, response) => {
    if (request.session.user) response.send(BODY);
    else response.sendStatus(401);
  });
  app.post("/login", express.urlencoded(), (request, response) => {
    request.session.user = request.body.user;
    response.sendStatus(204);
  });
}

const server = app.listen(0, "127.0.0.1", () => {
  const { address, port } = server.address();
  console.log(`${address}:${port}`);
});

createInterface({ input: process.stdin })
  .on("line", () => {
    const { user, system } = process.cpuUsage();
    console.log(String(user + system));
  })
  .on("close", () => process.exit(0));
