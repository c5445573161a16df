"""A proxy on loopback that says what a script tells it to say before it lets a request through to the gateway."""

import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# What is between two hops, or is written anew.
OWN = {"host", "connection", "content-length", "transfer-encoding", "accept-encoding"}


class Proxy:
    """`says`: statuses in order, each with its headers; past them everything passes. `asked`: the method and path of all requests."""

    def __init__(self, target, *says):
        self.says, self.asked, self.passed = list(says), [], 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def answer(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                outer.asked.append((self.command, self.path, self.headers.get("x-stainless-retry-count")))
                status, headers, content = outer.next() or outer.pass_on(target, self, body)
                self.send_response(status)
                for name, value in headers.items():
                    if name.lower() not in OWN:
                        self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def next(self):
        if not self.says:
            return None
        status, headers = self.says.pop(0)
        problem = b'{"success":false,"errors":[{"code":7000,"message":"scripted"}],"messages":[],"result":null}'
        return status, {"content-type": "application/json"} | headers, problem

    def pass_on(self, target, handler, body):
        headers = {name: value for name, value in handler.headers.items() if name.lower() not in OWN}
        request = urllib.request.Request(f"{target}{handler.path}", body or None, headers, method=handler.command)
        self.passed += 1
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as refusal:
            return refusal.code, dict(refusal.headers), refusal.read()

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
