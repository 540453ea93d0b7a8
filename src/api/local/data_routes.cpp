// /api/inbox, /tasks, /notes, /projects and /customers: what a program on the device needs beside the clock.
//
// Open to the owner of the device. Errors: 400 for a field with a wrong value, 404 for an unknown or deleted row, 409
// for a customer that exists. Changes one row of the local copy, which the outbox then sends to the hub.
#include <algorithm>

#include "api/kaisho/space.hpp"
#include "api/local/profile_face.hpp"
#include "base/bytes.hpp"
#include "wire/kaisho_rows.hpp"

namespace syncline::local {
namespace {

constexpr std::string_view kCustomers = "customers";

struct Section {
  std::string_view list_path;
  std::string_view record_path;
  std::string_view collection;
};
constexpr Section kSections[] = {{"/api/inbox", "/api/inbox/{id}", "inbox"},
                                 {"/api/tasks", "/api/tasks/{id}", "tasks"},
                                 {"/api/notes", "/api/notes/{id}", "notes"},
                                 {"/api/projects", "/api/projects/{id}", "projects"}};

std::unexpected<Error> no_such(std::string_view collection, const std::string& id) {
  return fail(ErrorCode::not_found, "'" + id + "' not found in " + std::string(collection));
}

Result<std::string> put_row(SpaceWriter& writer, std::string_view collection, const std::string& id,
                            const std::string& doc) {
  TRY(const OpResult result, writer.apply({.collection = collection, .id = id, .deleted = false, .doc = doc}));
  if (result.error) return std::unexpected(*result.error);
  TRY(const auto record, writer.txn().find(collection, id));
  std::string out;
  kaisho::append_row(out, view_of(*record));
  return out;
}

// Customers are one list, as Kaisho's desktops push it: {"items": [{"name", "contracts"}]}.

using Customers = std::vector<JsonObject>;

Result<Customers> read_customers(Snapshot& snapshot) {
  Customers customers;
  TRY(const auto record, snapshot.find(kaisho::kReference, kCustomers));
  const auto items = record && !record->deleted ? JsonView(record->doc).find("items") : std::nullopt;
  if (items && items->is_array()) {
    items->for_each_element([&](JsonView item) {
      if (item.is_object()) customers.emplace_back(item);
    });
  }
  return customers;
}

Customers::iterator find_customer(Customers& customers, const std::string& name) {
  return std::ranges::find_if(customers, [&](const JsonObject& one) { return one.text_of("name") == name; });
}

Result<> store_customers(SpaceWriter& writer, const Customers& customers) {
  std::string doc = R"({"items":[)";
  for (const JsonObject& customer : customers) {
    if (&customer != customers.data()) doc += ',';
    doc += customer.to_text();
  }
  doc += "]}";
  TRY(const OpResult result,
      writer.apply({.collection = kaisho::kReference, .id = kCustomers, .deleted = false, .doc = doc}));
  if (result.error) return std::unexpected(*result.error);
  return {};
}

}  // namespace

void ProfileFace::list_rows(const api::CallPtr& call, std::string_view collection) {
  std::string out = "[";
  CHECK_CALL(call, profile_.spaces().read(call->space(), [&](Snapshot& snapshot) {
    return snapshot.scan(collection, "", [&](const RecordView& record) {
      if (record.deleted) return true;
      if (out.size() > 1) out += ',';
      kaisho::append_row(out, record);
      return true;
    });
  }));
  call->respond_json(200, out + ']');
}

void ProfileFace::show_row(const api::CallPtr& call, std::string_view collection) {
  std::string out;
  CHECK_CALL(call, profile_.spaces().read(call->space(), [&](Snapshot& snapshot) -> Result<> {
    TRY(const auto record, snapshot.find(collection, call->param("id")));
    if (!record || record->deleted) return no_such(collection, call->param("id"));
    kaisho::append_row(out, view_of(*record));
    return {};
  }));
  call->respond_json(200, std::move(out));
}

void ProfileFace::create_row(const api::CallPtr& call, std::string_view collection) {
  TRY_CALL(call, const JsonView body, body_or_empty(*call));
  answer_write(call, call->space(), 201, [call, body, collection](SpaceWriter& writer) {
    JsonObject row{body};
    std::string id = row.text_of("id");
    if (id.empty()) id = make_uuid7(writer.now().millis());
    if (!row.find("created_at")) row.set_text("created_at", format_time(writer.now()));
    return put_row(writer, collection, id, row.to_text());
  });
}

void ProfileFace::change_row(const api::CallPtr& call, std::string_view collection) {
  TRY_CALL(call, const JsonView body, body_or_empty(*call));
  auto fields = std::make_shared<JsonObject>(body);
  answer_write(call, call->space(), 200,
               [collection, id = call->param("id"), fields](SpaceWriter& writer) -> Result<std::string> {
                 TRY(const auto stored, writer.txn().find(collection, id));
                 if (!stored || stored->deleted) return no_such(collection, id);
                 JsonObject row{JsonView(stored->doc)};
                 for (const auto& member : fields->members()) row.set(member.name, member.value);
                 return put_row(writer, collection, id, row.to_text());
               });
}

void ProfileFace::delete_row(const api::CallPtr& call, std::string_view collection) {
  answer_write(call, call->space(), 204,
               [collection, id = call->param("id")](SpaceWriter& writer) -> Result<std::string> {
                 TRY(const auto stored, writer.txn().find(collection, id));
                 if (!stored || stored->deleted) return no_such(collection, id);
                 TRY(const OpResult result, writer.apply({.collection = collection, .id = id, .deleted = true}));
                 if (result.error) return std::unexpected(*result.error);
                 return std::string();
               });
}

void ProfileFace::list_customers(const api::CallPtr& call) {
  std::string out = "[";
  CHECK_CALL(call, profile_.spaces().read(call->space(), [&](Snapshot& snapshot) -> Result<> {
    TRY(const Customers customers, read_customers(snapshot));
    for (const JsonObject& customer : customers) {
      if (out.size() > 1) out += ',';
      out += customer.to_text();
    }
    return {};
  }));
  call->respond_json(200, out + ']');
}

void ProfileFace::create_customer(const api::CallPtr& call) {
  TRY_CALL(call, const JsonView body, body_or_empty(*call));
  JsonObject customer{body};
  if (customer.text_of("name").empty()) {
    return call->fail(Error{ErrorCode::invalid_argument, "name is missing"});
  }
  if (!customer.find("contracts")) customer.set("contracts", "[]");
  answer_write(call, call->space(), 201, [customer](SpaceWriter& writer) -> Result<std::string> {
    TRY(Customers customers, read_customers(writer.txn()));
    if (find_customer(customers, customer.text_of("name")) != customers.end()) {
      return fail(ErrorCode::conflict, "a customer with that name already exists");
    }
    customers.push_back(customer);
    CHECK_OK(store_customers(writer, customers));
    return customer.to_text();
  });
}

void ProfileFace::change_customer(const api::CallPtr& call) {
  TRY_CALL(call, const JsonView body, body_or_empty(*call));
  auto fields = std::make_shared<JsonObject>(body);
  answer_write(call, call->space(), 200,
               [name = call->param("id"), fields](SpaceWriter& writer) -> Result<std::string> {
                 TRY(Customers customers, read_customers(writer.txn()));
                 const auto customer = find_customer(customers, name);
                 if (customer == customers.end()) return no_such(kCustomers, name);
                 for (const auto& member : fields->members()) customer->set(member.name, member.value);
                 CHECK_OK(store_customers(writer, customers));
                 return customer->to_text();
               });
}

void ProfileFace::delete_customer(const api::CallPtr& call) {
  answer_write(call, call->space(), 204, [name = call->param("id")](SpaceWriter& writer) -> Result<std::string> {
    TRY(Customers customers, read_customers(writer.txn()));
    const auto customer = find_customer(customers, name);
    if (customer == customers.end()) return no_such(kCustomers, name);
    customers.erase(customer);
    CHECK_OK(store_customers(writer, customers));
    return std::string();
  });
}

void ProfileFace::add_data_routes(Routes& routes) {
  for (const Section& section : kSections) {
    const std::string_view collection = section.collection;
    routes.get(section.list_path, owner_, "List rows", &ProfileFace::list_rows, collection)
        .answers(200, "the rows", "Rows");
    routes.post(section.list_path, owner_, "Create a row", &ProfileFace::create_row, collection)
        .body("the fields; without an id, the node creates one", "Fields")
        .answers(201, "the row", "Row")
        .answers(400, "a field has a wrong value");
    routes.get(section.record_path, owner_, "Show a row", &ProfileFace::show_row, collection)
        .answers(200, "the row", "Row")
        .answers(404, "unknown or deleted");
    routes.patch(section.record_path, owner_, "Change fields of a row", &ProfileFace::change_row, collection)
        .body("the fields to set", "Fields")
        .answers(200, "the row", "Row")
        .answers(404, "unknown or deleted");
    routes.del(section.record_path, owner_, "Delete a row", &ProfileFace::delete_row, collection)
        .answers(204, "deleted")
        .answers(404, "unknown or deleted");
  }
  routes.get("/api/customers", owner_, "List customers", &ProfileFace::list_customers)
      .answers(200, "the customers", "Customers");
  routes.post("/api/customers", owner_, "Add a customer", &ProfileFace::create_customer)
      .body("name, and optionally contracts", "Fields")
      .answers(201, "the customer", "Customer")
      .answers(400, "no name")
      .answers(409, "a customer with that name exists");
  routes.patch("/api/customers/{id}", owner_, "Change a customer", &ProfileFace::change_customer)
      .described("The id is the name.")
      .body("the members to set", "Fields")
      .answers(200, "the customer", "Customer")
      .answers(404, "unknown");
  routes.del("/api/customers/{id}", owner_, "Remove a customer", &ProfileFace::delete_customer)
      .described("The id is the name.")
      .answers(204, "removed")
      .answers(404, "unknown");
}

}  // namespace syncline::local
