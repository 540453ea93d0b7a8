// A large answer made in chunks: each chunk is read from the store when the peer has room for it, so a page of any size
// needs the memory of one chunk. A page that fits into one chunk is sent whole.
#pragma once

#include "http/message.hpp"

#include "base/result.hpp"

namespace syncline::api {

class ChunkWriter {
 public:
  virtual ~ChunkWriter() = default;
  /// Appends at least something, about limits::kStreamChunkBytes, and says whether that was the last of it.
  enum class State { more, done };
  [[nodiscard]] virtual Result<State> write(std::string& out) = 0;
};

/// The response to a page: whole, or as a stream whose first chunk is ready. Fails only if the first chunk does.
[[nodiscard]] Result<http::Response> make_page(std::unique_ptr<ChunkWriter> writer);

}  // namespace syncline::api
