// The handlers of the Kernle routes, by file.
#pragma once

#include "api/kernle/request.hpp"
#include "api/kernle/routes.hpp"

namespace syncline::kernle {

/// What a handler works with.
struct Handlers {
  explicit Handlers(Face& face) : spaces(face.spaces_), search_index(face.search_), executor(face.executor_) {}

  // push_routes.cpp
  void push(const api::CallPtr& call);
  void sync_full(const api::CallPtr& call);
  // pull_routes.cpp
  void pull(const api::CallPtr& call);
  void get_status(const api::CallPtr& call);
  // search_routes.cpp
  void search(const api::CallPtr& call);
  void search_memories(const api::CallPtr& call);

  Spaces& spaces;
  Search& search_index;
  Executor& executor;  // an answer is not read from the store on the store's own thread
};

/// Sessions are devices; a bare key may stand for several.
[[nodiscard]] inline bool is_session(const Principal& principal) { return principal.expires_at.has_value(); }

/// "2026-11-22T00:10:07.004670+00:00", as clients write it: some cannot read a Z.
[[nodiscard]] std::string client_time(Timestamp time);

/// `"meta":{...}`, which every answer may carry.
void append_meta(JsonWriter& writer, std::string_view request_id, Timestamp now);

}  // namespace syncline::kernle
