#!/usr/bin/env python3
"""Answers as a Posit Workbench does that is asked for jobs, and runs them here.

    workbench.py FOLDER

FOLDER/address has its address once it listens; FOLDER/requests has a line of JSON for
each request, and FOLDER/jobs what the jobs write. It takes the cookies "good" and
"browser". It ends, and its jobs with it, when its standard input does.
"""

import http.server
import json
import os
import subprocess
import sys
import threading

folder = sys.argv[1]
jobs = []
clusters = [
    {"name": "first", "type": "Kubernetes", "defaultImage": "r:100%s", "resourceProfiles": [{"name": "small"}]},
    {"name": "bare", "type": "Local", "defaultImage": "", "resourceProfiles": []},
]


class Workbench(http.server.BaseHTTPRequestHandler):
    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def note(self, body=""):
        request = {"method": self.command, "path": self.path, "headers": dict(self.headers), "body": body}
        with open(os.path.join(folder, "requests"), "a", encoding="utf-8") as file:
            file.write(json.dumps(request) + "\n")

    def is_known(self):
        cookie = self.headers.get("Cookie")
        bearer = self.headers.get("Authorization")
        if cookie in ("good", "browser") or bearer == "Bearer token":
            return True
        self.answer(401, {"error": "no session\nhas this cookie"})
        return False

    def do_GET(self):
        self.note()
        if not self.is_known():
            return
        if self.path == "/api/get_compute_envs":
            self.answer(200, {"result": {"clusters": clusters}})
        else:
            self.answer(404, {"error": self.path})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.note(body)
        if not self.is_known():
            return
        request = json.loads(body)
        if self.path == "/plain":
            command = ["Rscript", "-e", request["command"]]
        else:
            job = request["kwparams"]["job"]
            command = [job["exe"], *job["args"]]
        with open(os.path.join(folder, "jobs"), "a", encoding="utf-8") as file:
            jobs.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file))
        self.answer(200, {"result": {"id": len(jobs)}})

    def log_message(self, format, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Workbench)
threading.Thread(target=server.serve_forever, daemon=True).start()
with open(os.path.join(folder, "address.new"), "w", encoding="utf-8") as file:
    file.write(f"http://127.0.0.1:{server.server_port}\n")
os.rename(os.path.join(folder, "address.new"), os.path.join(folder, "address"))
sys.stdin.read()
for job in jobs:
    job.kill()
