// The documents that describe the API: each is made when it is first asked for, and kept. Safe from any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "api/router.hpp"
#include "base/mutex.hpp"

namespace syncline::operations {

class Documents {
 public:
  struct Document {
    std::shared_ptr<const std::string> text;
    std::string entity_tag;  // with its quotes
  };

  /// `router` outlives this, and gets no more routes once a document has been asked for.
  Documents(const api::Router& router, std::string version) : router_(router), version_(std::move(version)) {}

  // Of all faces, or of one: null if no route is of that face.

  [[nodiscard]] const Document* find_open_api(std::string_view face) EXCLUDES(mutex_);
  [[nodiscard]] const Document* find_docs(std::string_view face) EXCLUDES(mutex_);

 private:
  using Made = std::map<std::string, Document, std::less<>>;  // by face

  [[nodiscard]] const Document* find(Made& made, std::string_view face, const std::function<std::string()>& make)
      REQUIRES(mutex_);

  const api::Router& router_;
  const std::string version_;
  Mutex mutex_;
  Made open_apis_ GUARDED_BY(mutex_);
  Made docs_ GUARDED_BY(mutex_);
};

}  // namespace syncline::operations
