// The control socket: how an administration command reaches the hub that owns the data directory. A UNIX socket in that
// directory, for its owner only; one JSON object a line each way. A thread of its own accepts and calls the handler,
// one request at a time; the hub's main thread starts and stops it.
#pragma once

#include <functional>
#include <string>
#include <thread>

#include "base/json_object.hpp"

namespace syncline::app {

class ControlServer {
 public:
  using Handler = std::function<Result<std::string>(const JsonObject&)>;

  [[nodiscard]] static Result<std::unique_ptr<ControlServer>> start(const std::string& path, Handler handler);
  ~ControlServer();

 private:
  ControlServer(std::string path, int listener, int stop_reader, int stop_writer, Handler handler);
  void run();
  void serve(int connection);

  const std::string path_;
  const int listener_;
  const int stop_reader_;
  const int stop_writer_;
  const Handler handler_;
  std::thread thread_;
};

/// Sends a command to the owner and waits for the answer. `unavailable` if nobody listens.
[[nodiscard]] Result<std::string> call_control(const std::string& path, const JsonObject& request);

}  // namespace syncline::app
