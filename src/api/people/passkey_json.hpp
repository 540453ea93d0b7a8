// What the routes of passkeys and of sessions share.
#pragma once

#include "api/call.hpp"
#include "service/passkey_check.hpp"

namespace syncline::people {

/// The member passkey: toJSON() of what navigator.credentials.get() has answered.
[[nodiscard]] Result<passkey::Assertion> assertion_in(JsonView body);

/// 409, with the words of passkey_site().
void fail_without_passkeys(const api::CallPtr& call, const Error& error);

}  // namespace syncline::people
