"""The gateway's key set, served; and ways in which it is not."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class KeyServer:
    """Serves `keys`, unless `broken`; counts how often it was asked."""

    def __init__(self):
        self.keys, self.broken, self.asked = [], None, 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked += 1
                status, kind, text = outer.broken or (200, "application/jwk-set+json", json.dumps({"keys": outer.keys}))
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/.well-known/counterfoil/jwks.json"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


# Not to be taken for a set.
FAILS = (500, "application/json", '{"keys": []}')
# What a proxy sends that takes the address for a page of the app's.
SIGN_IN_PAGE = (200, "text/html", "<h1>Sign in</h1>")
