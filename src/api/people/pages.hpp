// The pages that links of the hub lead to. Most are one form that sends its fields to a route of the hub as JSON; what
// stands behind the # of the link is one of them, so that no server on the way sees it.
#pragma once

#include "http/message.hpp"

namespace syncline::people {

/// To make the first account with the code that the hub shows: /setup#CODE.
[[nodiscard]] http::Response setup_page();

/// To pair a device with the code that another one shows: /m/pair#CODE. Says first whose account it is.
[[nodiscard]] http::Response pair_page();

/// To set a password with a token for that: /set-password#TOKEN.
[[nodiscard]] http::Response set_password_page();

/// Why somebody could not sign in with another provider. `words`: a sentence that begins with a small letter.
[[nodiscard]] http::Response sign_in_failed_page(int status, std::string_view words);

}  // namespace syncline::people
