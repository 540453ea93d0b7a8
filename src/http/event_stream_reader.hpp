// Takes Server-Sent Events apart (WHATWG HTML, "Server-sent events"), from bytes that come in any pieces.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace syncline::http {

class EventStreamReader {
 public:
  /// `on_event(name, data)`; the name is "message" if the stream gives none. An event whose data is longer than
  /// `event_bytes_max`, or a line of it, is left out.
  explicit EventStreamReader(std::function<void(const std::string&, std::string)> on_event,
                             std::size_t event_bytes_max = kEventBytesMax)
      : on_event_(std::move(on_event)), event_bytes_max_(event_bytes_max) {}

  void add(std::string_view bytes) {
    std::size_t from = buffer_.size();  // what was there has no end of a line
    buffer_ += bytes;
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = buffer_.find('\n', from)) != std::string::npos; begin = from = end + 1) {
      std::string_view line(buffer_.data() + begin, end - begin);
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (!std::exchange(skips_line_, false)) take_line(line);
    }
    buffer_.erase(0, begin);
    if (buffer_.size() <= event_bytes_max_) return;
    leave_out();
    skips_line_ = true;
    std::string().swap(buffer_);
  }

 private:
  static constexpr std::size_t kEventBytesMax = 8UL << 20U;

  /// The event that is being read is too long.
  void leave_out() {
    is_left_out_ = true;
    std::string().swap(data_);
  }

  void take_line(std::string_view line) {
    if (line.empty()) {
      if (has_data_ && !is_left_out_) on_event_(event_.empty() ? "message" : event_, std::move(data_));
      event_.clear();
      data_.clear();
      has_data_ = is_left_out_ = false;
      return;
    }
    const std::size_t colon = line.find(':');
    const std::string_view field = line.substr(0, colon);
    std::string_view value = colon == std::string_view::npos ? "" : line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (field == "event") event_ = value;
    if (field != "data" || is_left_out_) return;
    if (data_.size() + value.size() > event_bytes_max_) return leave_out();
    if (has_data_) data_ += '\n';
    data_ += value;
    has_data_ = true;
  }

  const std::function<void(const std::string&, std::string)> on_event_;
  const std::size_t event_bytes_max_;
  std::string buffer_;
  std::string event_;
  std::string data_;
  bool has_data_ = false;
  bool is_left_out_ = false;
  bool skips_line_ = false;  // the end of a line whose beginning was too long
};

}  // namespace syncline::http
