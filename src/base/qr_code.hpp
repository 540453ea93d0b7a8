// A text as a QR code, drawn as SVG. By libqrencode. Safe from any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace syncline {

/// An SVG element of the smallest code that holds the text, black on white with the margin that readers need, without a
/// size of its own. too_large beyond some 2,300 bytes; the text has no NUL.
[[nodiscard]] Result<std::string> draw_qr_code(std::string_view text);

}  // namespace syncline
