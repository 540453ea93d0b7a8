// The frame of the pages on which a hub describes itself. Their policy lets in this style and this script alone, and
// nothing from elsewhere.
#pragma once

#include <string>
#include <string_view>

#include "http/message.hpp"

namespace syncline::operations {

/// The whole page. `main`: HTML.
[[nodiscard]] std::string make_page(std::string_view title, std::string_view main);

/// What shows a page its search field: the script filters the elements with data-entry by their text, and hides those
/// with data-group that have none left.
inline constexpr std::string_view kSearchField =
    "<p hidden data-search><label>Search <input type=\"search\" autocomplete=\"off\" spellcheck=\"false\"></label> "
    "<span role=\"status\"></span></p>";

/// 200, with the headers of such a page.
[[nodiscard]] http::Response make_page_response();

}  // namespace syncline::operations
