"""A small server that speaks OpenAI's API, well or badly: the model's name says how. Whatever its name, a model whose
name begins with "new" refuses max_tokens, and one with "old" refuses max_completion_tokens.

  good             an answer with usage           stream-good      chunks, usage in a chunk of its own, [DONE]
  no-usage         an answer without usage        stream-late      usage in the last chunk with text
  tools            asks for a tool                stream-no-usage  no usage at all
  busy, refused,   429, 401, 500, 400             stream-cut       the connection breaks off in the middle
  broken, rejects                                 stream-junk      broken chunks between good ones
  html             not JSON                       stream-endless   goes on until the reader leaves
  cut              reaches the limit              stream-cut-off   reaches the limit
  no-routes        404 but for chat completions
  slow             answers after ten seconds      stream-silent    a word, and then nothing for ten seconds
"""
import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ANSWER = "Hello from upstream"
USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
STATUSES = {"busy": 429, "refused": 401, "broken": 500, "rejects": 400}


class AiUpstream:
    def __init__(self):
        self.requests = []
        self.keys = []
        self.paths = []
        self.readers_gone = 0
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                upstream.requests.append(body)
                upstream.keys.append(self.headers["Authorization"])
                upstream.paths.append(self.path)
                refused = {"new": "max_tokens", "old": "max_completion_tokens"}.get(body["model"][:3])
                if refused in body:
                    return self.answer(400, json.dumps({"error": {
                        "message": f"Unsupported parameter: '{refused}' is not supported with this model.",
                        "type": "invalid_request_error", "param": refused, "code": "unsupported_parameter"}}))
                if self.path == "/v1/embeddings":
                    return self.embeddings(body["model"])
                if self.path == "/v1/responses":
                    return self.response(body)
                assert self.path == "/v1/chat/completions"
                if body.get("stream"):
                    self.stream(body["model"])
                else:
                    self.whole(body["model"])

            def answer(self, status, text, content_type="application/json"):
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def embeddings(self, model):
                if model == "no-routes":
                    return self.answer(404, json.dumps({"error": {"message": "no such route"}}))
                self.answer(200, json.dumps({"object": "list", "model": model,
                                             "data": [{"object": "embedding", "index": 0, "embedding": "AACAPwAAAEA="}],
                                             "usage": {"prompt_tokens": 3, "total_tokens": 3}}))

            def response(self, body):
                model = body["model"]
                if model == "no-routes":
                    return self.answer(404, json.dumps({"error": {"message": "no such route"}}))
                item = {"type": "message", "id": "m", "role": "assistant", "status": "completed",
                        "content": [{"type": "output_text", "text": ANSWER, "annotations": []}]}
                whole = {"id": "r", "object": "response", "status": "completed", "model": model, "output": [item],
                         "usage": {"input_tokens": 11, "output_tokens": 7, "total_tokens": 18}}
                if model == "cut":
                    whole.update(status="incomplete", incomplete_details={"reason": "max_output_tokens"})
                if not body.get("stream"):
                    return self.answer(200, json.dumps(whole))
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                self.chunk({"type": "response.output_text.delta", "delta": ANSWER}, "response.output_text.delta")
                last = f"response.{whole['status']}"
                self.chunk({"type": last, "response": whole}, last)
                self.wfile.write(b"0\r\n\r\n")

            def whole(self, model):
                if model in STATUSES:
                    return self.answer(STATUSES[model], json.dumps({"error": {"message": f"{model} says no"}}))
                if model == "html":
                    return self.answer(200, "<html>", "text/html")
                if model == "slow":
                    time.sleep(10)
                message = {"role": "assistant", "content": ANSWER}
                reason = "stop"
                if model == "tools":
                    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}}
                    message, reason = {"role": "assistant", "content": None, "tool_calls": [call]}, "tool_calls"
                if model == "cut":
                    reason = "length"
                answer = {"id": "x", "object": "chat.completion", "model": model,
                          "choices": [{"index": 0, "message": message, "finish_reason": reason}]}
                if model != "no-usage":
                    answer["usage"] = USAGE
                self.answer(200, json.dumps(answer))

            def chunk(self, data, event=None):
                text = data if isinstance(data, str) else json.dumps(data)
                piece = f"{f'event: {event}' + chr(10) if event else ''}data: {text}\n\n".encode()
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.flush()

            def stream(self, model):
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                try:
                    self.chunks(model)
                except OSError:
                    upstream.readers_gone += 1
                    self.close_connection = True

            def chunks(self, model):
                def delta(text, **more):
                    return {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": text}}],
                            **more}
                for word in ANSWER.split():
                    self.chunk(delta(word))
                    if model == "stream-junk":
                        self.chunk("{broken")
                    if model == "stream-cut":
                        self.connection.shutdown(socket.SHUT_RDWR)  # closing alone leaves it open for those who read from it
                        self.close_connection = True
                        return
                    if model == "stream-silent":
                        time.sleep(10)
                        return
                if model == "stream-cut-off":
                    self.chunk({"object": "chat.completion.chunk",
                                "choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]})
                while model == "stream-endless":
                    self.chunk(delta("x" * 1000))
                if model == "stream-late":
                    self.chunk(delta("!", usage=USAGE))
                elif model != "stream-no-usage":
                    self.chunk({"object": "chat.completion.chunk", "choices": [], "usage": USAGE})
                self.chunk("[DONE]")
                self.wfile.write(b"0\r\n\r\n")

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/v1"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
