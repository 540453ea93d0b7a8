#include "app/console.hpp"

namespace syncline::app {

Result<console::Assets> read_console_settings(const Settings& settings) {
  const std::string& directory = settings.text("console.dir");
  return directory.empty() ? console::Assets::unpack(console::embedded_pack())
                           : console::Assets::in_directory(directory);
}

std::string_view page_prefix(const Settings& settings) {
  const auto assets = read_console_settings(settings);
  return assets && !assets->is_empty() ? console::kPath : std::string_view();
}

}  // namespace syncline::app
