#include "base/qr_code.hpp"

#include <qrencode.h>

#include <cerrno>
#include <memory>

namespace syncline {
namespace {

/// In modules, on each side: what the standard asks for.
constexpr int kMargin = 4;

struct FreeCode {
  void operator()(QRcode* code) const { QRcode_free(code); }
};

/// The dark modules as one path: a rectangle for each run of a row.
std::string path_of(const QRcode& code) {
  std::string path;
  for (int y = 0; y < code.width; ++y) {
    for (int x = 0; x < code.width;) {
      const auto is_dark = [&](int column) { return (code.data[y * code.width + column] & 1U) != 0; };
      int end = x;
      while (end < code.width && is_dark(end)) ++end;
      if (end > x) {
        const std::string length = std::to_string(end - x);
        path += 'M' + std::to_string(x + kMargin) + ' ' + std::to_string(y + kMargin) + 'h' + length + "v1h-" + length +
                'z';
      }
      x = end + 1;
    }
  }
  return path;
}

}  // namespace

Result<std::string> draw_qr_code(std::string_view text) {
  const std::string copy(text);
  // A screen is clean: the second of four levels of correction.
  const std::unique_ptr<QRcode, FreeCode> code(QRcode_encodeString8bit(copy.c_str(), 0, QR_ECLEVEL_M));
  if (!code && errno == ERANGE) return fail(ErrorCode::too_large, "the text is too long for a QR code");
  if (!code) return fail(ErrorCode::internal, "the QR code cannot be drawn");
  const std::string size = std::to_string(code->width + 2 * kMargin);
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + size + ' ' + size +
         "\" shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h" + size + 'v' + size + "H0z\"/><path d=\"" +
         path_of(*code) + "\"/></svg>";
}

}  // namespace syncline
