#include "app/public_url.hpp"

#include "node/settings_file.hpp"

namespace syncline::app {

Result<std::string> read_public_url(const Settings& settings) {
  const std::string& text = settings.text("hub.public_url");
  if (text.empty()) return std::string();
  return parse_public_url(text);
}

std::string password_link(std::string_view public_url, std::string_view token) {
  if (public_url.empty()) return {};
  return std::string(public_url) + "/set-password#" + std::string(token);
}

PublicUrl::Keep keep_public_url(const Settings& settings, const std::string& data) {
  const std::string file = setup_file_in(data);
  const std::string& origin = settings.values().at("hub.public_url").origin;
  if (origin != "default" && !origin.starts_with("file " + file + ':')) return nullptr;
  return [file](const std::string& url) {
    return node::replace_file(file, "# Written by the hub at setup. Every setting of the operator overrides it.\n" +
                                        (url.empty() ? std::string() : "hub.public_url: \"" + url + "\"\n"));
  };
}

}  // namespace syncline::app
