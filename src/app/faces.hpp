// The list of faces of this program: the one place that knows them all. A new face is one line in faces.cpp.
#pragma once

#include "api/face.hpp"
#include "app/settings.hpp"

namespace syncline::app {

/// In the order in which their routes are tried. Nothing works yet: a hub makes the faces of the modules.
[[nodiscard]] Result<std::vector<api::FaceModule>> make_faces(const Settings& settings);

/// Those whose APIs a node serves and whose spaces it keeps.
[[nodiscard]] std::vector<api::FaceModule> make_node_faces();

/// The rules of the spaces of all these faces.
[[nodiscard]] RuleBook make_rule_book(const std::vector<api::FaceModule>& faces);

/// What webhooks can subscribe to: the types of every space, and those of these faces.
[[nodiscard]] EventTypes make_event_types(const std::vector<api::FaceModule>& faces);

/// What a node may speak to hubs beside /v1, in the order in which it tries them.
[[nodiscard]] std::vector<const replica::Dialect*> list_dialects(const std::vector<api::FaceModule>& faces);

/// The spaces that every account has for these faces; not those whose names vary.
[[nodiscard]] std::vector<std::string> list_fixed_spaces(const std::vector<api::FaceModule>& faces);

/// What is searched for: the subject of the one face that has one. Nothing without such a face.
[[nodiscard]] Search::Subject find_search_subject(const std::vector<api::FaceModule>& faces);

}  // namespace syncline::app
