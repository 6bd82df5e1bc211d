// Scans a host of loopback as MDN's HTTP Observatory does: its own rules, its own requests. Ports 80 and 443 of that host are
// wherever the arguments say, and nothing else is reached.
import fs from "node:fs";
import { createRequire } from "node:module";
import net from "node:net";

const [host, plain, secure] = process.argv.slice(2);
const ports = { 80: plain, 443: secure };

const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...args) {
  const options = Array.isArray(args[0]) ? args[0][0] : args[0];
  if (options.host !== host || !ports[options.port]) {
    throw new Error(`nothing but ${host} is to be reached, not ${options.host}:${options.port}`);
  }
  options.host = "127.0.0.1";
  options.port = Number(ports[options.port]);
  options.path = undefined;
  return connect.apply(this, args);
};

// The list of preloaded hosts is fetched when the package is installed, which installs nothing else here. An empty one is right
// for a host of loopback: it is on no list.
const read = fs.readFileSync;
fs.readFileSync = (path, ...rest) => (String(path).endsWith("/conf/hsts-preload.json") ? "{}" : read(path, ...rest));

const { scan } = await import("@mdn/mdn-http-observatory");
const { version } = createRequire(import.meta.url)("@mdn/mdn-http-observatory/package.json");
const result = await scan(host);
const tests = Object.entries(result.tests).map(([name, test]) => ({ name, pass: test.pass, points: test.scoreModifier, says: test.result }));
console.log(JSON.stringify({ version, ...result.scan, tests }));
