#include "base/qr_code.hpp"

#include <gtest/gtest.h>

namespace syncline {
namespace {

TEST(QrCode, is_an_svg_element_of_the_smallest_code_with_its_margin) {
  const auto drawn = draw_qr_code("https://hub.example.org/m/pair#K7QM-3FXD");
  ASSERT_TRUE(drawn);
  // 40 bytes with correction M need version 3, which has 29 modules; and 4 of margin on each side.
  EXPECT_TRUE(drawn->starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 37 37\"")) << *drawn;
  EXPECT_TRUE(drawn->ends_with("</svg>"));
  // The first row: the upper edges of two finder patterns, seven dark modules each, at the two corners.
  EXPECT_NE(drawn->find("\"M4 4h7v1h-7z"), std::string::npos);
  EXPECT_NE(drawn->find("M26 4h7v1h-7zM4 5h1v1h-1z"), std::string::npos);
  EXPECT_NE(drawn->find("M4 32h7v1h-7z"), std::string::npos) << "the third one";
}

TEST(QrCode, two_texts_have_two_codes) { EXPECT_NE(*draw_qr_code("a"), *draw_qr_code("b")); }

TEST(QrCode, a_text_that_is_too_long_is_refused) {
  EXPECT_EQ(draw_qr_code(std::string(4000, 'x')).error().code, ErrorCode::too_large);
  EXPECT_FALSE(draw_qr_code(""));
}

}  // namespace
}  // namespace syncline
