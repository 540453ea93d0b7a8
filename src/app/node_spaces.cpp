#include "app/node_spaces.hpp"

#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "app/progress.hpp"
#include "app/sync_sentence.hpp"
#include "base/json_object.hpp"
#include "base/time.hpp"

namespace syncline::app {
namespace {

std::int64_t number_in(JsonView object, std::string_view name) {
  const auto value = object.find(name);
  return value ? value->as_integer().value_or(0) : 0;
}

/// How far the spaces of the profile are, from now on.
std::function<std::string()> follow_transfer(const NodeClient& node, const NodeOptions& options) {
  struct Watch {
    std::unique_ptr<http::Client> client;
    std::string profile;
    std::optional<std::int64_t> moved_before;
  };
  const auto watch = std::make_shared<Watch>(node.clients()(), options.profile, std::nullopt);
  return [watch]() -> std::string {
    const auto answer = watch->client->send({http::Method::get, "/profiles", "", {}, 5000, limits::kAnswerBytesPage});
    const auto object = answer && answer->status == 200 ? http::parse_object(answer->body) : JsonObject{};
    const auto profiles = object ? object->find("profiles") : std::nullopt;
    if (!profiles) return "";
    std::int64_t moved = 0;
    std::int64_t left = 0;
    profiles->for_each_element([&](JsonView profile) {
      const auto active = profile.find("active");
      const bool is_meant = watch->profile.empty() ? active && active->as_boolean().value_or(false)
                                                   : profile.text_of("profile") == watch->profile;
      const auto spaces = profile.find("spaces");
      if (!is_meant || !spaces) return;
      spaces->for_each_element([&](JsonView space) {
        if (space.text_of("state") == "off") return;  // it stays on this device
        moved += number_in(space, "pulled") + number_in(space, "pushed");
        left += number_in(space, "to_pull") + number_in(space, "pending");
      });
    });
    if (!watch->moved_before) watch->moved_before = moved;
    const std::int64_t done = moved - *watch->moved_before;
    return bar_text(done, done + left);
  };
}

/// "in 8 s", or nothing for a time that is past.
std::string time_until(const std::string& text) {
  const auto time = parse_time(text);
  if (!time) return {};
  const std::int64_t seconds = (time->micros - SystemClock().now().micros) / kMicrosPerSecond;
  if (seconds < 0) return {};
  return seconds < 90 ? "in " + std::to_string(seconds) + " s" : "in " + std::to_string(seconds / 60) + " min";
}

/// "2026-11-22 16:40 UTC"
std::string minute_of(const std::string& text) {
  const auto time = parse_time(text);
  if (!time) return {};
  std::string minute = format_time(*time).substr(0, 16);
  minute[10] = ' ';
  return minute + " UTC";
}

/// What is known of the sync of a profile that is connected to a hub, over all its spaces.
SyncFacts sync_facts_of(JsonView profile) {
  SyncFacts facts;
  std::int64_t pending = 0;
  std::int64_t rejected = 0;
  std::int64_t to_pull = 0;
  bool is_held_up = false;
  const auto spaces = profile.find("spaces");
  if (!spaces) return facts;
  spaces->for_each_element([&](JsonView space) {
    const std::string state = space.text_of("state");
    if (state == "off") return;  // it stays on this device
    pending += number_in(space, "pending");
    rejected += number_in(space, "dead_letters");
    to_pull += number_in(space, "to_pull");
    if (state == "refused") facts["signed_out"] = "1";
    if (state == "waiting" && !facts.contains("silent_since")) {
      facts["silent_since"] = minute_of(space.text_of("since"));
      facts["reason"] = space.text_of("reason");
      facts["next_try"] = time_until(space.text_of("next_try"));
    }
    is_held_up = is_held_up || state == "refused" || state == "waiting";
  });
  facts["rejected"] = std::to_string(rejected);
  facts[is_held_up ? "waiting" : "sending"] = std::to_string(pending);
  facts["behind"] = std::to_string(to_pull);
  return facts;
}

/// What the hub cannot do, if it speaks something else than /v1.
void print_limits(JsonView profile) {
  const auto limits = profile.find("limits");
  if (!limits || limits->raw() == "[]") return;
  std::printf("    The hub supports only the %s API:\n", to_terminal_line(profile.text_of("dialect")).c_str());
  limits->for_each_element(
      [](JsonView limit) { std::printf("    - %s\n", to_terminal_line(limit.as_string().value_or("")).c_str()); });
}

}  // namespace

Result<> print_profiles(NodeClient& node, OutputForm form) {
  TRY(const std::string answer, node.ask(http::Method::get, "/profiles"));
  if (form == OutputForm::json) {
    std::puts(answer.c_str());
    return {};
  }
  TRY(const JsonObject object, http::parse_object(answer));
  const auto profiles = object.find("profiles");
  if (!profiles) return {};
  profiles->for_each_element([](JsonView profile) {
    const auto is_active = profile.find("active");
    const auto live = profile.find("live");
    const std::string url = profile.text_of("url");
    std::printf("%s %s  %s%s\n", is_active && is_active->as_boolean().value_or(false) ? "*" : " ",
                to_terminal_line(profile.text_of("profile")).c_str(),
                url.empty() ? "not connected" : to_terminal_line(url).c_str(),
                live && live->as_boolean().value_or(false) ? "  (live)" : "");
    if (const std::string error = profile.text_of("settings_error"); !error.empty()) {
      std::printf("    settings: %s\n", to_terminal_line(error).c_str());
    }
    if (const std::string clock = profile.text_of("clock"); clock == "ahead" || clock == "behind") {
      std::printf(
          "    The system clock is %s the expected time; purging is suspended (syncline profile accept-clock)\n",
          clock == "ahead" ? "ahead of" : "behind");
    }
    if (!url.empty()) {
      const SyncSentence sentence = sync_sentence(sync_facts_of(profile));
      std::printf("    %s: %s\n", sentence.word.c_str(), to_terminal_line(sentence.says).c_str());
    }
    print_limits(profile);
    const auto spaces = profile.find("spaces");
    if (!spaces) return;
    spaces->for_each_element([](JsonView space) {
      const std::int64_t moved = number_in(space, "pulled") + number_in(space, "pushed");
      const std::int64_t left = number_in(space, "pending") + number_in(space, "to_pull");
      const std::string bar =
          space.text_of("state") == "syncing" && left > 0 ? bar_text(moved, moved + left) + "; " : "";
      std::printf("    %-24s %-8s %lld to send, %lld to fetch: %s%s\n",
                  to_terminal_line(space.text_of("space")).c_str(), to_terminal_line(space.text_of("state")).c_str(),
                  static_cast<long long>(number_in(space, "pending")),
                  static_cast<long long>(number_in(space, "to_pull")), bar.c_str(),
                  to_terminal_line(space.text_of("reason")).c_str());
    });
  });
  return {};
}

Result<std::string> ask_with_progress(NodeClient& node, const NodeOptions& options, const std::string& what,
                                      const std::string& target, const std::string& body, OutputForm form) {
  const Progress progress(what, form, follow_transfer(node, options));
  return node.ask(http::Method::post, target, body);
}

}  // namespace syncline::app
