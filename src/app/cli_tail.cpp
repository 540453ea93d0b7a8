// syncline tail: changes as they happen, of this device or of a hub.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/feed_file.hpp"
#include "app/feed_pages.hpp"
#include "app/interrupt.hpp"
#include "app/invocation.hpp"
#include "app/output.hpp"
#include "app/plain_words.hpp"
#include "base/back_off.hpp"
#include "base/json_object.hpp"
#include "base/stop.hpp"
#include "base/text.hpp"
#include "http/event_stream_reader.hpp"

namespace syncline::app {
namespace {

/// The server says something on a quiet stream each 20 s.
constexpr std::int64_t kSilenceMs = 70'000;
constexpr std::size_t kShownBytes = 160;

struct TailOptions {
  FeedServer server;
  std::vector<std::string> spaces;  // all if empty
  std::string since;
  bool from_start = false;
  std::int64_t count = 0;  // 0: no end
};

void print_change(std::string_view space, JsonView change, OutputForm form) {
  if (form == OutputForm::json) {
    std::string line;
    append_record_line(line, space, change);
    std::puts(line.c_str());
    return;
  }
  const auto doc = change.find("doc");
  const auto deleted = change.find("deleted");
  const bool is_deleted = deleted && deleted->as_boolean().value_or(false);
  const std::string what = change.find("damaged") ? "damaged"
                           : is_deleted           ? "deleted"
                           : doc                  ? to_terminal_line(cut_utf8(doc->raw(), kShownBytes))
                                                  : std::string();
  const auto time = parse_time(change.text_of("updated_at"));
  std::printf("%s  %s  %s/%s  %s\n",
              time ? to_local_time(*time).c_str() : to_terminal_line(change.text_of("updated_at")).c_str(),
              to_terminal_line(std::string(space)).c_str(), to_terminal_line(change.text_of("collection")).c_str(),
              to_terminal_line(change.text_of("id")).c_str(), what.c_str());
}

class Tail {
 public:
  Tail(NodeClient& server, std::vector<FeedSpace> spaces, const TailOptions& options, OutputForm form)
      : server_(server), spaces_(std::move(spaces)), count_max_(options.count), form_(form) {}

  /// Until interrupted, or as many changes have come as were asked for.
  Result<> run() {
    const std::stop_callback on_interrupt(watch_.token(), [this] { done_.request_stop(); });
    BackOff back_off;
    while (!done_.stop_requested()) {
      bool has_come = false;
      stream_ = std::stop_source();
      const std::stop_callback on_done(done_.get_token(), [this] { stream_.request_stop(); });
      if (const auto done = catch_up_all(); !done && advice_of(done.error().code) != Advice::retry_later) return done;
      http::EventStreamReader reader([&](const std::string& event, const std::string& data) { take(event, data); });
      const auto answer = server_.stream(
          target(), kSilenceMs,
          [&](std::string_view bytes) {
            has_come = true;
            reader.add(bytes);
          },
          stream_.get_token());
      if (fault_) return std::unexpected(*fault_);
      const bool is_final = answer && answer->status != 200 && advice_of(error_of(*answer).code) != Advice::retry_later;
      if (is_final) return std::unexpected(error_of(*answer));
      if (has_come) back_off.reset();
      if (!done_.stop_requested()) {
        wait_unless_stopped(done_.get_token(), std::chrono::milliseconds(back_off.next_ms()));
      }
    }
    return {};
  }

 private:
  /// The stream begins behind what has been printed.
  [[nodiscard]] std::string target() const {
    std::string names;
    std::string position;
    for (const FeedSpace& space : spaces_) {
      if (!names.empty()) names += ',';
      names += percent_encode(space.name);
      if (space.cursor == "0") continue;
      if (!position.empty()) position += ',';
      position += percent_encode(space.name) + '=' + space.cursor;
    }
    return "/v1/events?spaces=" + names + "&last_event_id=" + percent_encode(position);
  }

  void take(const std::string& event, const std::string& data) {
    const auto notice = http::parse_object(data);
    if (!notice || fault_) return;
    const auto space = std::ranges::find(spaces_, notice->text_of("space"), &FeedSpace::name);
    if (space == spaces_.end()) return;
    Result<> done;
    if (event == "change") done = catch_up(*space);
    if (event == "reset") {
      done = fail(ErrorCode::conflict,
                  "the history of " + space->name + " was replaced (" + notice->text_of("code") + "); run tail again");
    }
    // What can be tried again is when the stream begins anew, behind what was printed.
    if (!done && advice_of(done.error().code) != Advice::retry_later) fault_ = done.error();
    if (!done) stream_.request_stop();
  }

  Result<> catch_up_all() {
    for (FeedSpace& space : spaces_) CHECK_OK(catch_up(space));
    return {};
  }

  Result<> catch_up(FeedSpace& space) {
    for (bool more = true; more && !done_.stop_requested();) {
      TRY(const FeedPage page, read_page(server_, space.name, space.cursor));
      page.for_each_change([&](JsonView change) {
        if (done_.stop_requested()) return;
        print_change(space.name, change, form_);
        if (++count_ == count_max_) done_.request_stop();
      });
      std::fflush(stdout);
      space.cursor = page.cursor;
      more = page.more;
    }
    return {};
  }

  NodeClient& server_;
  std::vector<FeedSpace> spaces_;
  const std::int64_t count_max_;  // 0: no end
  const OutputForm form_;
  std::int64_t count_ = 0;
  std::optional<Error> fault_;
  std::stop_source done_;
  std::stop_source stream_;  // the one that is open
  InterruptWatch watch_;
};

Result<> tail(const TailOptions& options, OutputForm form) {
  if (!options.since.empty() && options.spaces.size() != 1) {
    return fail(ErrorCode::invalid_argument, "--since needs exactly one SPACE: a cursor belongs to one space");
  }
  TRY(const auto server, open_server(options.server, form));
  TRY(std::vector<FeedSpace> spaces, list_spaces(*server, options.spaces));
  if (spaces.empty()) return fail(ErrorCode::not_found, "no spaces yet");
  for (FeedSpace& space : spaces) {
    if (options.from_start) space.cursor = "0";
    if (!options.since.empty()) space.cursor = options.since;
  }
  print_note("times are in the zone " + local_zone(), form);
  return Tail(*server, std::move(spaces), options, form).run();
}

}  // namespace

void define_tail(Command root, Invocation& invocation) {
  const auto options = std::make_shared<TailOptions>();
  options->server.node.missing = DataDirectory::Missing::refuse;
  const Command tailing = root.add("tail", "Print changes of this device or a hub as they happen");
  add_feed_server_options(tailing, options->server, invocation);
  tailing.option("SPACE", options->spaces, "spaces to follow").defaults_to("all");
  tailing.option("--since CURSOR", options->since, "start after this cursor; needs exactly one SPACE");
  tailing.flag("--from-start", options->from_start, "start with all existing records");
  tailing.option("-n,--count N", options->count, "stop after this many changes").positive();
  tailing.note("With --json, each line is one JSON object.");
  tailing.example("syncline tail kaisho --json");
  tailing.on_run([&invocation, options] { return tail(*options, invocation.form()); });
}

}  // namespace syncline::app
