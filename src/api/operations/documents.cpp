#include "api/operations/documents.hpp"

#include "api/operations/docs_pages.hpp"
#include "api/operations/open_api.hpp"
#include "base/bytes.hpp"

namespace syncline::operations {

const Documents::Document* Documents::find_open_api(std::string_view face) {
  const MutexLock lock(mutex_);
  return find(open_apis_, face, [&] { return make_open_api(router_.routes(), face, version_); });
}

const Documents::Document* Documents::find_docs(std::string_view face) {
  const MutexLock lock(mutex_);
  return find(docs_, face, [&] {
    return face.empty() ? make_docs_index(router_.routes(), version_) : make_docs_page(router_.routes(), face);
  });
}

const Documents::Document* Documents::find(Made& made, std::string_view face,
                                           const std::function<std::string()>& make) {
  if (const auto found = made.find(face); found != made.end()) return &found->second;
  if (routes_of(router_.routes(), face).empty()) return nullptr;
  const auto text = std::make_shared<const std::string>(make());
  std::string entity_tag = '"' + to_base64url(as_text(sha256(*text)).substr(0, 12)) + '"';
  return &made.emplace(face, Document{text, std::move(entity_tag)}).first->second;
}

}  // namespace syncline::operations
