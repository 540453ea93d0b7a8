#include "app/command_run.hpp"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "api/kiro/command.hpp"
#include "app/command_times.hpp"
#include "app/exit_codes.hpp"
#include "app/interrupt.hpp"
#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "base/stop.hpp"
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

/// Gives a command up that still waits, for a runner or for approval, when its time is over. Its thread ends with it.
class PendingLimit {
 public:
  /// `give_up` is called on the thread of this, at most once, after the hub was asked to cancel the command.
  PendingLimit(std::unique_ptr<http::Client> client, std::string id, std::int64_t seconds,
               std::function<void()> give_up)
      : client_(std::move(client)), id_(std::move(id)), give_up_(std::move(give_up)) {
    thread_ = std::jthread([this, seconds](const std::stop_token& stop) { run(std::chrono::seconds(seconds), stop); });
  }

  [[nodiscard]] bool has_given_up() const { return has_given_up_; }
  /// Waits for the end of its thread, once it has given up.
  void wait() { thread_.join(); }
  [[nodiscard]] bool has_cancelled() const { return has_cancelled_; }

 private:
  void run(std::chrono::seconds time, const std::stop_token& stop) {
    wait_unless_stopped(stop, time);
    while (!stop.stop_requested()) {
      const auto shown = ask_hub(*client_, {http::Method::get, command_path(id_), "", {}}, stop);
      const auto command = shown ? http::parse_object(*shown) : Result<JsonObject>(std::unexpected(shown.error()));
      const auto status = command ? command_status_from_text(command->text_of("status")) : std::nullopt;
      if (status && is_terminal(*status)) return;
      if (status == CommandStatus::pending && !stop.stop_requested()) {
        has_given_up_ = true;  // before the command ends
        // A hub with the published API alone cannot cancel: then the command is only left behind.
        has_cancelled_ = ask_hub(*client_, {http::Method::del, command_path(id_), "", {}}, stop).has_value();
        return give_up_();
      }
      // It runs, and may be held yet; or the hub is away.
      wait_unless_stopped(stop, std::chrono::seconds(1));
    }
  }

  const std::unique_ptr<http::Client> client_;
  const std::string id_;
  const std::function<void()> give_up_;
  std::atomic<bool> has_given_up_ = false;
  std::atomic<bool> has_cancelled_ = false;
  std::jthread thread_;
};

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
    if (run.timeout_seconds > 0) {
      writer.integer("timeoutMs", run.timeout_seconds * 1000).integer("ttlMs", run.timeout_seconds * 1000);
    }
    writer.end_object();
    TRY(const std::string answer, ask_hub(client_, {http::Method::post, "/command", body, {}}, watch.token()));
    TRY(const JsonObject made, http::parse_object(answer));
    id_ = made.text_of("commandId");
    if (form_ == OutputForm::text && made.integer_of("runners") == 0) {
      std::fprintf(stderr, "syncline: no runner is connected; the command waits for one\n");
    }
    return id_;
  }

  /// The command when it has ended. Nothing if `stop` was requested before.
  Result<std::optional<JsonObject>> follow(const std::stop_token& stop) {
    if (form_ == OutputForm::text) {
      http::EventStreamReader reader(
          [this](const std::string& event, std::string data) { on_event(event, std::move(data)); });
      const auto streamed = client_.stream(
          {http::Method::get, command_path(id_) + "/output", "", {}, kStreamTimeoutMs},
          [&](std::string_view bytes) { reader.add(bytes); }, stop);
      if (ended_) return ended_;
      if (printed_ && !stop.stop_requested()) complain("the live output was interrupted");
      if (streamed && streamed->status / 100 == 4 && streamed->status != 404) {
        return std::unexpected(error_of(*streamed));
      }
    }
    // No live output, or it was cut off: wait for the end.
    while (!stop.stop_requested()) {
      http::ClientRequest request{
          http::Method::get, command_path(id_) + "?wait=" + std::to_string(kWaitSeconds), "", {}};
      request.timeout_ms = kWaitSeconds * 2000;
      request.answer_bytes_max = limits::kAnswerBytesPage;
      const auto began = std::chrono::steady_clock::now();
      const auto response = client_.send(request, stop);
      if (stop.stop_requested()) break;
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

  /// As the hub has it now.
  Result<JsonObject> show() {
    TRY(const std::string answer, ask_hub(client_, {http::Method::get, command_path(id_), "", {}}));
    return http::parse_object(answer);
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
    std::fprintf(stderr, "syncline: %s; 'syncline command show %s' prints the result\n", what,
                 to_terminal_line(id_).c_str());
  }

  void print_if_held(const JsonObject& status) const {
    if (!kiro::Command(status).is_held()) return;
    std::fprintf(stderr, "syncline: waiting for approval: syncline command approve %s\n",
                 to_terminal_line(id_).c_str());
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

/// A code that no process here can end with is no success.
int exit_code_from(JsonView code) {
  constexpr std::int64_t kProcessExitMax = 255;
  const std::int64_t value = code.as_integer().value_or(-1);
  return value < 0 || value > kProcessExitMax ? kExitFailure : static_cast<int>(value);
}

int exit_code_of_command(const JsonObject& command) {
  const auto result = command.find("result");
  const auto code = result && result->is_object() ? result->find("exitCode") : std::nullopt;
  if (command.text_of("status") == to_text(CommandStatus::completed)) return code ? exit_code_from(*code) : kExitOk;
  const std::string error = command.text_of("error");
  return error.starts_with("timed out") || error.starts_with("expired") ? kExitTimedOut : kExitFailure;
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
  std::stop_source stop;
  const std::stop_callback on_interrupt(watch.token(), [&stop] { stop.request_stop(); });
  std::optional<PendingLimit> limit;
  if (run.timeout_seconds > 0) limit.emplace(clients(), id, run.timeout_seconds, [&stop] { stop.request_stop(); });
  TRY(const auto command, session.follow(stop.get_token()));
  const bool completed = command && command->text_of("status") == to_text(CommandStatus::completed);
  if (limit && limit->has_given_up() && !completed) {
    limit->wait();
    if (form == OutputForm::json) {
      TRY(const JsonObject shown, session.show());
      print_result(with_text_times(shown), form);
    } else {
      std::fprintf(stderr, "syncline: the command did not start within %lld s; %s %s\n",
                   static_cast<long long>(run.timeout_seconds),
                   limit->has_cancelled() ? "cancelled" : "the hub cannot cancel", to_terminal_line(id).c_str());
    }
    return kExitTimedOut;
  }
  if (!command) {
    CHECK_OK(session.cancel());
    print_error({ErrorCode::internal, "interrupted; asked the hub to cancel " + id}, form, kExitInterrupted);
    return kExitInterrupted;
  }
  if (form == OutputForm::json) print_result(with_text_times(*command), form);
  const std::string error = command->text_of("error");
  if (form == OutputForm::text && !error.empty()) {
    print_error({ErrorCode::internal, error}, form, exit_code_of_command(*command));
  }
  return exit_code_of_command(*command);
}

}  // namespace syncline::app
