// Takes Server-Sent Events apart (WHATWG HTML, "Server-sent events"), from bytes that come in any pieces.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace syncline::http {

class EventStreamReader {
 public:
  /// `on_event(name, data)`; the name is "message" if the stream gives none.
  explicit EventStreamReader(std::function<void(const std::string&, std::string)> on_event)
      : on_event_(std::move(on_event)) {}

  void add(std::string_view bytes) {
    std::size_t from = buffer_.size();  // what was there has no end of a line
    buffer_ += bytes;
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = buffer_.find('\n', from)) != std::string::npos; begin = from = end + 1) {
      std::string_view line(buffer_.data() + begin, end - begin);
      if (line.ends_with('\r')) line.remove_suffix(1);
      take_line(line);
    }
    buffer_.erase(0, begin);
    if (buffer_.size() > kEventBytesMax) buffer_.clear();  // no event is so long: what is left of it means nothing
  }

 private:
  static constexpr std::size_t kEventBytesMax = 8UL << 20U;

  void take_line(std::string_view line) {
    if (line.empty()) {
      if (has_data_) on_event_(event_.empty() ? "message" : event_, std::move(data_));
      event_.clear();
      data_.clear();
      has_data_ = false;
      return;
    }
    const std::size_t colon = line.find(':');
    const std::string_view field = line.substr(0, colon);
    std::string_view value = colon == std::string_view::npos ? "" : line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (field == "event") event_ = value;
    if (field != "data" || data_.size() > kEventBytesMax) return;
    if (has_data_) data_ += '\n';
    data_ += value;
    has_data_ = true;
  }

  const std::function<void(const std::string&, std::string)> on_event_;
  std::string buffer_;
  std::string event_;
  std::string data_;
  bool has_data_ = false;
};

}  // namespace syncline::http
