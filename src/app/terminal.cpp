#include "app/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/text.hpp"

namespace syncline::app {
namespace {

struct Painted {
  std::string_view state;
  Paint paint;
};

constexpr auto kStates = std::to_array<Painted>({{"ok", Paint::green},
                                                 {"in_sync", Paint::green},
                                                 {"completed", Paint::green},
                                                 {"delivered", Paint::green},
                                                 {"allow", Paint::green},
                                                 {"warning", Paint::yellow},
                                                 {"waiting", Paint::yellow},
                                                 {"pending", Paint::yellow},
                                                 {"held", Paint::yellow},
                                                 {"open", Paint::yellow},
                                                 {"ask", Paint::yellow},
                                                 {"failed", Paint::red},
                                                 {"refused", Paint::red},
                                                 {"disabled", Paint::red},
                                                 {"deny", Paint::red}});

std::string_view order_of(Paint paint) {
  switch (paint) {
    case Paint::none: return "";
    case Paint::bold: return "\x1b[1m";
    case Paint::green: return "\x1b[32m";
    case Paint::yellow: return "\x1b[33m";
    case Paint::red: return "\x1b[31m";
  }
  return "";
}

}  // namespace

std::optional<std::size_t> terminal_columns() {
  if (::isatty(STDOUT_FILENO) == 0) return std::nullopt;
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  const char* set = std::getenv("COLUMNS");
  const auto columns = set == nullptr ? std::nullopt : parse_integer(set);
  if (!columns || *columns <= 0) return std::nullopt;
  return static_cast<std::size_t>(*columns);
}

bool takes_colour(int descriptor) {
  const char* unwanted = std::getenv("NO_COLOR");
  if (unwanted != nullptr && *unwanted != '\0') return false;
  const char* kind = std::getenv("TERM");
  return ::isatty(descriptor) != 0 && (kind == nullptr || std::string_view(kind) != "dumb");
}

std::string painted(const std::string& text, Paint paint) {
  if (paint == Paint::none || text.empty()) return text;
  return std::string(order_of(paint)) + text + "\x1b[0m";
}

Paint paint_of_state(std::string_view state) {
  const auto found = std::ranges::find(kStates, state, &Painted::state);
  return found == kStates.end() ? Paint::none : found->paint;
}

}  // namespace syncline::app
