// Entries of the audit log as the API and the command line show them.
#pragma once

#include <string>

#include "service/audit_trail.hpp"

namespace syncline::admin {

inline constexpr std::int64_t kAuditPageDefault = 100;
inline constexpr std::int64_t kAuditPageMax = 1000;

/// {"entries": [...], "next": number or null}
[[nodiscard]] std::string audit_page_json(const AuditTrail::Page& page);

}  // namespace syncline::admin
