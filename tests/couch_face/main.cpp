// A hub with one face more; everything else of it is the program itself. Takes the arguments that the tests start hubs
// with: couch_hub hub --data DATA --listen ADDRESS:PORT
#include <cstdio>
#include <span>
#include <string_view>

#include "app/hub.hpp"
#include "couch_face/face.hpp"

int main(int argc, char** argv) {
  using namespace syncline;
  const std::span arguments(argv, static_cast<std::size_t>(argc));
  if (argc != 6 || std::string_view(arguments[2]) != "--data" || std::string_view(arguments[4]) != "--listen") {
    std::fputs("usage: couch_hub hub --data DATA --listen ADDRESS:PORT\n", stderr);
    return 2;
  }
  const auto settings = app::Settings::load({{"listen", arguments[5]}}, "");
  const auto ran =
      settings ? app::run_hub(*settings, arguments[3], {couch::make_module()}) : std::unexpected(settings.error());
  if (!ran) std::fprintf(stderr, "couch_hub: %s\n", ran.error().text.c_str());
  return ran ? 0 : 1;
}
