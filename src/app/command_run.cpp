#include "app/command_run.hpp"

#include <unistd.h>

#include <chrono>
#include <thread>

#include "api/kiro/command.hpp"
#include "app/exit_codes.hpp"
#include "app/interrupt.hpp"
#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "core/command.hpp"
#include "http/event_stream_reader.hpp"

namespace syncline::app {
namespace {

constexpr std::int64_t kStreamTimeoutMs = 60'000;  // the hub sends something more often
constexpr std::int64_t kWaitSeconds = 30;

/// Bytes of a remote program. A terminal must not take orders from them.
void write_remote(std::FILE* stream, std::string_view text) {
  const bool is_terminal = ::isatty(::fileno(stream)) != 0;
  const std::string shown = is_terminal ? to_terminal_text(to_valid_utf8(text)) : std::string(text);
  std::fwrite(shown.data(), 1, shown.size(), stream);
  std::fflush(stream);
}

class CommandSession {
 public:
  CommandSession(http::Client& client, OutputForm form) : client_(client), form_(form) {}

  Result<std::string> submit(const CommandRun& run, const InterruptWatch& watch) {
    std::string line;
    for (const std::string& word : run.words) line += (line.empty() ? "" : " ") + word;
    std::string body;
    JsonWriter writer(body);
    writer.begin_object().string("type", "execute_bash").string("command", line);
    if (!run.working_dir.empty()) writer.string("workingDir", run.working_dir);
    if (run.timeout_seconds > 0) writer.integer("timeoutMs", run.timeout_seconds * 1000);
    writer.end_object();
    TRY(const std::string answer, ask_hub(client_, {http::Method::post, "/command", body, {}}, watch.token()));
    TRY(const JsonObject made, http::parse_object(answer));
    id_ = made.text_of("commandId");
    return id_;
  }

  /// The command when it has ended. Nothing if it was interrupted.
  Result<std::optional<JsonObject>> follow(const InterruptWatch& watch) {
    if (form_ == OutputForm::text) {
      http::EventStreamReader reader(
          [this](const std::string& event, std::string data) { on_event(event, std::move(data)); });
      const auto streamed = client_.stream(
          {http::Method::get, command_path(id_) + "/output", "", {}, kStreamTimeoutMs},
          [&](std::string_view bytes) { reader.add(bytes); }, watch.token());
      if (ended_) return ended_;
      if (printed_ && !watch.interrupted()) complain("the live output was interrupted");
      if (streamed && streamed->status / 100 == 4 && streamed->status != 404) {
        return std::unexpected(error_of(*streamed));
      }
    }
    // No live output, or it was cut off: wait for the end.
    while (!watch.interrupted()) {
      http::ClientRequest request{
          http::Method::get, command_path(id_) + "?wait=" + std::to_string(kWaitSeconds), "", {}};
      request.timeout_ms = kWaitSeconds * 2000;
      const auto began = std::chrono::steady_clock::now();
      const auto response = client_.send(request, watch.token());
      if (watch.interrupted()) break;
      if (!response) return std::unexpected(response.error());
      if (response->status != 200) return std::unexpected(error_of(*response));
      TRY(JsonObject command, http::parse_object(response->body));
      if (has_ended(command)) {
        print_result_of(command);
        return command;
      }
      // A hub that does not know how to wait answers at once.
      if (std::chrono::steady_clock::now() - began < std::chrono::seconds(1)) {
        std::this_thread::sleep_for(std::chrono::seconds(1));
      }
    }
    return std::nullopt;
  }

  Result<> cancel() {
    TRY([[maybe_unused]] const std::string answer, ask_hub(client_, {http::Method::del, command_path(id_), "", {}}));
    return {};
  }

 private:
  static bool has_ended(const JsonObject& command) {
    const auto status = command_status_from_text(command.text_of("status"));
    return status && is_terminal(*status);
  }

  void on_event(const std::string& event, std::string data) {
    auto parsed = parse_json_object(std::move(data), limits::kBodyDepthMax);
    if (!parsed) return;
    const JsonObject& object = *parsed;
    if (event == "output") {
      printed_ = true;
      write_remote(object.text_of("stream") == "stderr" ? stderr : stdout, object.text_of("data"));
    } else if (event == "truncated") {
      complain("some of the live output is missing");
    } else if (event == "status") {
      print_if_held(object);
    } else if (event == "end") {
      ended_ = object;
    }
  }

  void complain(const char* what) const {
    std::fprintf(stderr, "syncline: %s; 'syncline command show %s' prints the result\n", what, id_.c_str());
  }

  void print_if_held(const JsonObject& status) const {
    if (!kiro::Command(status).is_held()) return;
    std::fprintf(stderr, "syncline: waiting for approval: syncline command approve %s\n", id_.c_str());
  }

  void print_result_of(const JsonObject& command) const {
    const auto result = command.find("result");
    if (printed_ || form_ == OutputForm::json || !result || !result->is_object()) return;
    const JsonObject object(*result);
    for (const auto& [name, stream] : {std::pair{"stdout", stdout}, std::pair{"stderr", stderr}}) {
      const std::string text = object.text_of(name);
      const bool encoded = object.text_of("encoding") == "base64";
      write_remote(stream, encoded ? from_base64(text).value_or(text) : text);
    }
  }

  http::Client& client_;
  const OutputForm form_;
  std::string id_;
  bool printed_ = false;
  std::optional<JsonObject> ended_;
};

int exit_code_of_command(const JsonObject& command) {
  const auto result = command.find("result");
  const auto code = result && result->is_object() ? result->find("exitCode") : std::nullopt;
  if (command.text_of("status") == to_text(CommandStatus::completed)) {
    return code ? static_cast<int>(code->as_integer().value_or(0)) : kExitOk;
  }
  return command.text_of("error").starts_with("timed out") ? kExitTimedOut : kExitFailure;
}

}  // namespace

Result<int> run_command(const CommandRun& run, OutputForm form) {
  TRY(const http::ClientFactory clients, reach_hub(run.hub));
  const auto client = clients();
  CommandSession session(*client, form);
  const InterruptWatch watch;
  const auto submitted = session.submit(run, watch);
  if (watch.interrupted() && !submitted) return kExitInterrupted;
  TRY(const std::string id, submitted);
  if (run.detach) {
    std::string out;
    JsonWriter(out).begin_object().string("commandId", id).string("status", "pending").end_object();
    print_result(out, form);
    return kExitOk;
  }
  TRY(const auto command, session.follow(watch));
  if (!command) {
    CHECK_OK(session.cancel());
    std::fprintf(stderr, "syncline: interrupted; asked the hub to cancel %s\n", id.c_str());
    return kExitInterrupted;
  }
  if (form == OutputForm::json) print_result(command->to_text(), form);
  const std::string error = command->text_of("error");
  if (form == OutputForm::text && !error.empty()) {
    print_error({ErrorCode::internal, error}, form);
  }
  return exit_code_of_command(*command);
}

}  // namespace syncline::app
