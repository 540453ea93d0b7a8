#include "app/feed_pages.hpp"

#include <algorithm>
#include <string_view>

#include "base/json_object.hpp"
#include "base/text.hpp"

namespace syncline::app {
namespace {

constexpr std::int64_t kPageRecords = 1000;
/// What a node keeps for itself in its spaces.
constexpr std::string_view kOwnCollections = "syncline.";

}  // namespace

Result<std::unique_ptr<NodeClient>> open_server(const FeedServer& server, OutputForm form) {
  return server.hub.url.empty() ? NodeClient::open(server.node, form) : NodeClient::open_hub(server.hub);
}

Result<std::vector<FeedSpace>> list_spaces(NodeClient& server, const std::vector<std::string>& named) {
  TRY(const std::string answer, server.ask(http::Method::get, "/v1/spaces"));
  TRY(const JsonObject object, http::parse_object(answer));
  std::vector<FeedSpace> all;
  if (const auto list = object.find("spaces")) {
    list->for_each_element([&](JsonView space) {
      const std::string cursor = space.text_of("cursor");
      const auto seq = parse_integer(std::string_view(cursor).substr(cursor.rfind('.') + 1));
      all.push_back({space.text_of("name"), cursor, seq.value_or(0)});
    });
  }
  if (named.empty()) return all;
  std::vector<FeedSpace> wanted;
  for (const std::string& name : named) {
    const auto found = std::ranges::find(all, name, &FeedSpace::name);
    if (found == all.end()) return fail(ErrorCode::not_found, "space '" + name + "' not found");
    wanted.push_back(*found);
  }
  return wanted;
}

void FeedPage::for_each_change(const std::function<void(JsonView)>& visit) const {
  const auto changes = JsonView(body).find("changes");
  if (!changes) return;
  changes->for_each_element([&](JsonView change) {
    if (!change.text_of("collection").starts_with(kOwnCollections)) visit(change);
  });
}

Result<FeedPage> read_page(NodeClient& server, const std::string& space, const std::string& since) {
  FeedPage page;
  TRY(page.body, server.ask(http::Method::get, "/v1/spaces/" + percent_encode(space) + "/changes?since=" + since +
                                                   "&limit=" + std::to_string(kPageRecords)));
  const auto checked = http::parse_object(page.body);
  if (!checked) return std::unexpected(checked.error());
  page.cursor = checked->text_of("cursor");
  const auto more = checked->find("more");
  page.more = more && more->as_boolean().value_or(false);
  return page;
}

}  // namespace syncline::app
