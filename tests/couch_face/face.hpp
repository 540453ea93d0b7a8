// A fourth API, as a module that only tests have: as much of CouchDB's replication protocol as PouchDB needs to copy a
// database in both directions. It shows what a face takes, and that nothing outside its folder must change for one.
//
// A database is the space "couch/<name>". Collection "docs" has the winning revision of each document: the document as
// JSON, with _id, _rev, _deleted and the revisions before it (_revisions). Collection "local" has the checkpoints of
// replications. Revisions that lose go to the space's conflict list.
#pragma once

#include "api/face.hpp"

namespace syncline::couch {

[[nodiscard]] api::FaceModule make_module();

}  // namespace syncline::couch
