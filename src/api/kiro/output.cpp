#include "api/kiro/output.hpp"

#include <algorithm>
#include <atomic>

#include "api/event_keep_alive.hpp"
#include "api/kiro/command.hpp"
#include "base/bytes.hpp"
#include "base/text.hpp"

namespace syncline::kiro {
namespace {

/// All buffers together; the one that was quiet for longest goes first.
constexpr std::size_t kAllOutputsBytesMax = 64UL << 20U;
constexpr std::size_t kOutputsMax = 4096;

std::string event_text(std::string_view event, std::string_view data) {
  std::string line(data);
  // Line ends in JSON are white space, in an event stream they would end the data.
  std::ranges::replace_if(line, [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return "event: " + std::string(event) + "\ndata: " + line + "\n\n";
}

}  // namespace

/// state    next() gives
/// first    retry line
/// flowing  output events; waits for output or a change of the space
/// ended    end event, then the end
///
/// A failed read ends no command: the stream is cut, and who reads along comes again.
class Outputs::Stream final : public http::BodySource, public Watcher, public KeyHolder {
 public:
  Stream(Outputs& outputs, SpaceName space, std::string id, Access& access, std::shared_ptr<const Principal> reader)
      : outputs_(outputs), key_(std::move(space), std::move(id)), access_(access), reader_(std::move(reader)) {}

  ~Stream() override {
    if (!wake_) return;
    outputs_.spaces_.live().unwatch(key_.first, *this);
    outputs_.spaces_.live().remove_key_holder(*this);
    const MutexLock lock(outputs_.mutex_);
    std::erase_if(outputs_.streams_, [this](const auto& entry) { return entry.second == this; });
  }

  void start(http::Wake wake) override {
    wake_ = std::move(wake.soon);
    keep_alive_.emplace(outputs_.spaces_.live().scheduler(), wake_);
    outputs_.spaces_.live().watch(key_.first, *this);
    outputs_.spaces_.live().add_key_holder(*this);
    const MutexLock lock(outputs_.mutex_);
    outputs_.streams_.emplace(key_, this);
  }

  void stop() override { ended_ = true; }
  void on_change(const SpaceName&, Seq) override { wake_(); }
  void on_output() { wake_(); }
  void on_access_change() override {
    access_changed_ = true;
    wake_();
  }

  Next next() override {
    if (std::exchange(first_, false)) return chunk("retry: 2000\n\n");
    if (access_changed_.exchange(false)) {
      const auto valid = access_.check_still(*reader_, {.any_of = command_readers(), .spaces = {&key_.first, 1}});
      if (!valid && !is_refusal(valid.error().code)) return Abort{};
      if (!valid) ended_ = true;
    }
    if (ended_) return End{};
    // The status is read before the output: what a finished command has said is all there.
    const auto read = find_command();
    if (!read) return Abort{};
    const std::optional<Command>& command = *read;
    const Events events = outputs_.from(key_.first, key_.second, index_);
    index_ = events.next_index;
    std::string text = command ? status_event(*command) : "";
    if (events.skipped) text += event_text("truncated", "{}");
    for (const std::string& data : events.data) text += event_text("output", data);
    has_sent_output_ = has_sent_output_ || !events.data.empty();
    if (!command || is_terminal(command->status)) {
      if (command && !has_sent_output_) text += result_events(*command);
      text += event_text("end", command ? command->to_text() : "{}");
      ended_ = true;
    }
    if (text.empty()) text = keep_alive_->take();
    if (text.empty()) return Wait{};
    return chunk(std::move(text));
  }

 private:
  static Next chunk(std::string text) { return Chunk{std::make_shared<const std::string>(std::move(text))}; }

  Result<std::optional<Command>> find_command() {
    std::optional<Command> command;
    CHECK_OK(outputs_.spaces_.read(key_.first, [&](Snapshot& snapshot) -> Result<> {
      TRY(const auto record, snapshot.find(kCommands, key_.second));
      if (record && !record->deleted) command.emplace(JsonView(record->doc));
      return {};
    }));
    return command;
  }

  /// Empty unless the command waits for approval, or has done so, and stands elsewhere than before.
  std::string status_event(const Command& command) {
    const auto approval = command.document().find("approval");
    if (!approval) return "";
    std::string status;
    JsonWriter(status)
        .begin_object()
        .string("status", to_text(command.status))
        .raw("approval", approval->raw())
        .end_object();
    if (status == std::exchange(last_status_, status)) return "";
    return event_text("status", status);
  }

  /// For those who come when the live output is gone: what the result holds of it.
  static std::string result_events(const Command& command) {
    std::string text;
    const auto result = command.document().find("result");
    if (!result || !result->is_object()) return text;
    const bool is_base64 = result->text_of("encoding") == "base64";
    for (const std::string_view stream : {"stdout", "stderr"}) {
      const auto output = result->find(stream);
      if (!output || !output->is_string() || output->raw() == "\"\"") continue;
      std::string data;
      JsonWriter writer(data);
      writer.begin_object().string("stream", stream);
      // As while the program ran: text, whatever it wrote.
      const auto bytes = is_base64 ? from_base64(output->as_string().value_or("")) : std::nullopt;
      if (bytes) {
        writer.string("data", to_valid_utf8(*bytes));
      } else {
        writer.raw("data", output->raw());
      }
      writer.end_object();
      text += event_text("output", data);
    }
    return text;
  }

  Outputs& outputs_;
  const Key key_;
  Access& access_;
  const std::shared_ptr<const Principal> reader_;
  std::function<void()> wake_;
  std::optional<api::EventKeepAlive> keep_alive_;
  std::atomic<bool> access_changed_ = true;
  std::size_t index_ = 0;
  std::string last_status_;
  bool first_ = true;
  bool ended_ = false;
  bool has_sent_output_ = false;
};

void Outputs::append(const SpaceName& space, const std::string& id, std::string event_data) {
  const MutexLock lock(mutex_);
  const Key key{space, id};
  Buffer& buffer = buffers_[key];
  buffer.used_ms = spaces_.clock().now().millis();
  buffer.bytes += event_data.size();
  bytes_ += event_data.size();
  buffer.events.push_back(std::move(event_data));
  while (buffer.bytes > limits::kOutputBytesMax && buffer.events.size() > 1) {
    buffer.bytes -= buffer.events.front().size();
    bytes_ -= buffer.events.front().size();
    buffer.events.pop_front();
    buffer.first_index += 1;
  }
  evict();
  const auto [begin, end] = streams_.equal_range(key);
  for (auto at = begin; at != end; ++at) at->second->on_output();
}

void Outputs::evict() {
  while (bytes_ > kAllOutputsBytesMax && buffers_.size() > 1) {
    const auto quietest =
        std::ranges::min_element(buffers_, {}, [](const auto& entry) { return entry.second.used_ms; });
    // The numbering stays, so that those who read along see that something is missing.
    Buffer& buffer = quietest->second;
    bytes_ -= buffer.bytes;
    buffer.first_index += buffer.events.size();
    buffer.events.clear();
    buffer.bytes = 0;
    buffer.used_ms = INT64_MAX;
  }
  while (buffers_.size() > kOutputsMax) buffers_.erase(buffers_.begin());
}

Outputs::Events Outputs::from(const SpaceName& space, const std::string& id, std::size_t index) {
  const MutexLock lock(mutex_);
  Events events{.next_index = index};
  const auto found = buffers_.find({space, id});
  if (found == buffers_.end()) return events;
  const Buffer& buffer = found->second;
  events.skipped = buffer.first_index > index;
  const std::size_t begin = std::max(index, buffer.first_index) - buffer.first_index;
  for (std::size_t i = begin; i < buffer.events.size(); ++i) events.data.push_back(buffer.events[i]);
  events.next_index = std::max(index, buffer.first_index + buffer.events.size());
  return events;
}

std::unique_ptr<http::BodySource> Outputs::open(const SpaceName& space, const std::string& id, Access& access,
                                                std::shared_ptr<const Principal> reader) {
  return std::make_unique<Stream>(*this, space, id, access, std::move(reader));
}

}  // namespace syncline::kiro
