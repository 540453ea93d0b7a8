// Turns the pieces of a write into what Boost.Asio takes. For the sources of the streams; lives as long as the call.
#pragma once

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <span>
#include <string_view>

#include "net/byte_stream.hpp"

namespace syncline::net {

/// A sequence of buffers, as Asio defines it.
class StreamBuffers {
 public:
  explicit StreamBuffers(std::span<const std::string_view> pieces)
      : count_(std::min(pieces.size(), ByteStream::kPiecesMax)) {
    for (std::size_t i = 0; i < count_; ++i) buffers_[i] = asio::const_buffer(pieces[i].data(), pieces[i].size());
  }

  [[nodiscard]] const asio::const_buffer* begin() const { return buffers_.data(); }
  [[nodiscard]] const asio::const_buffer* end() const { return buffers_.data() + count_; }

 private:
  std::array<asio::const_buffer, ByteStream::kPiecesMax> buffers_;
  std::size_t count_;
};

}  // namespace syncline::net
