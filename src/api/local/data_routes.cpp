// /api/inbox, /tasks, /notes, /projects and /customers: what a program on the device needs beside the clock.
#include <algorithm>

#include "api/kaisho/space.hpp"
#include "api/local/handlers.hpp"
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
  return fail(ErrorCode::not_found, "there is no '" + id + "' in " + std::string(collection));
}

void list_rows(const Handlers& self, std::string_view collection, const api::CallPtr& call) {
  std::string out = "[";
  CHECK_CALL(call, self.profile.spaces().read(call->space(kaisho::kSpace), [&](Snapshot& snapshot) {
    return snapshot.scan(collection, "", [&](const RecordView& record) {
      if (record.deleted) return true;
      if (out.size() > 1) out += ',';
      kaisho::append_row(out, record);
      return true;
    });
  }));
  call->respond_json(200, out + ']');
}

void show_row(const Handlers& self, std::string_view collection, const api::CallPtr& call) {
  std::string out;
  CHECK_CALL(call, self.profile.spaces().read(call->space(kaisho::kSpace), [&](Snapshot& snapshot) -> Result<> {
    TRY(const auto record, snapshot.find(collection, call->param("id")));
    if (!record || record->deleted) return no_such(collection, call->param("id"));
    kaisho::append_row(out, view_of(*record));
    return {};
  }));
  call->respond_json(200, std::move(out));
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

void create_row(const Handlers& self, std::string_view collection, const api::CallPtr& call) {
  TRY_CALL(call, const JsonView body, body_or_empty(*call));
  JsonObject row{body};
  std::string id = row.text_of("id");
  if (id.empty()) id = make_uuid7(self.profile.spaces().clock().now().millis());
  if (!row.find("created_at")) row.set_text("created_at", format_time(self.profile.spaces().clock().now()));
  self.answer_write(call, call->space(kaisho::kSpace), 201, [collection, id, doc = row.to_text()](SpaceWriter& writer) {
    return put_row(writer, collection, id, doc);
  });
}

void change_row(const Handlers& self, std::string_view collection, const api::CallPtr& call) {
  TRY_CALL(call, const JsonView body, body_or_empty(*call));
  auto fields = std::make_shared<JsonObject>(body);
  self.answer_write(call, call->space(kaisho::kSpace), 200,
                    [collection, id = call->param("id"), fields](SpaceWriter& writer) -> Result<std::string> {
                      TRY(const auto stored, writer.txn().find(collection, id));
                      if (!stored || stored->deleted) return no_such(collection, id);
                      JsonObject row{JsonView(stored->doc)};
                      for (const auto& member : fields->members()) row.set(member.name, member.value);
                      return put_row(writer, collection, id, row.to_text());
                    });
}

void delete_row(const Handlers& self, std::string_view collection, const api::CallPtr& call) {
  self.answer_write(call, call->space(kaisho::kSpace), 204,
                    [collection, id = call->param("id")](SpaceWriter& writer) -> Result<std::string> {
                      TRY(const auto stored, writer.txn().find(collection, id));
                      if (!stored || stored->deleted) return no_such(collection, id);
                      TRY(const OpResult result, writer.apply({.collection = collection, .id = id, .deleted = true}));
                      if (result.error) return std::unexpected(*result.error);
                      return std::string();
                    });
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

void list_customers(const Handlers& self, const api::CallPtr& call) {
  std::string out = "[";
  CHECK_CALL(call, self.profile.spaces().read(call->space(kaisho::kSpace), [&](Snapshot& snapshot) -> Result<> {
    TRY(const Customers customers, read_customers(snapshot));
    for (const JsonObject& customer : customers) {
      if (out.size() > 1) out += ',';
      out += customer.to_text();
    }
    return {};
  }));
  call->respond_json(200, out + ']');
}

void create_customer(const Handlers& self, const api::CallPtr& call) {
  TRY_CALL(call, const JsonView body, body_or_empty(*call));
  JsonObject customer{body};
  if (customer.text_of("name").empty()) {
    return call->fail(Error{ErrorCode::invalid_argument, "a customer needs a name"});
  }
  if (!customer.find("contracts")) customer.set("contracts", "[]");
  self.answer_write(call, call->space(kaisho::kSpace), 201, [customer](SpaceWriter& writer) -> Result<std::string> {
    TRY(Customers customers, read_customers(writer.txn()));
    if (find_customer(customers, customer.text_of("name")) != customers.end()) {
      return fail(ErrorCode::conflict, "there is a customer of that name already");
    }
    customers.push_back(customer);
    CHECK_OK(store_customers(writer, customers));
    return customer.to_text();
  });
}

void change_customer(const Handlers& self, const api::CallPtr& call) {
  TRY_CALL(call, const JsonView body, body_or_empty(*call));
  auto fields = std::make_shared<JsonObject>(body);
  self.answer_write(call, call->space(kaisho::kSpace), 200,
                    [name = call->param("id"), fields](SpaceWriter& writer) -> Result<std::string> {
                      TRY(Customers customers, read_customers(writer.txn()));
                      const auto customer = find_customer(customers, name);
                      if (customer == customers.end()) return no_such(kCustomers, name);
                      for (const auto& member : fields->members()) customer->set(member.name, member.value);
                      CHECK_OK(store_customers(writer, customers));
                      return customer->to_text();
                    });
}

void delete_customer(const Handlers& self, const api::CallPtr& call) {
  self.answer_write(call, call->space(kaisho::kSpace), 204,
                    [name = call->param("id")](SpaceWriter& writer) -> Result<std::string> {
                      TRY(Customers customers, read_customers(writer.txn()));
                      const auto customer = find_customer(customers, name);
                      if (customer == customers.end()) return no_such(kCustomers, name);
                      customers.erase(customer);
                      CHECK_OK(store_customers(writer, customers));
                      return std::string();
                    });
}

}  // namespace

std::vector<api::Route> Handlers::data_routes() const {
  using http::Method;
  std::vector<api::Route> routes;
  using OfRows = void (*)(const Handlers&, std::string_view, const api::CallPtr&);
  const auto add = [&](Method method, std::string_view path, std::string_view summary, std::string_view collection,
                       OfRows handle) {
    routes.push_back(make_route(method, path, summary, [self = *this, collection, handle](const api::CallPtr& call) {
      handle(self, collection, call);
    }));
  };
  for (const Section& section : kSections) {
    add(Method::get, section.list_path, "List", section.collection, list_rows);
    add(Method::post, section.list_path, "Create; the id is made if none is given", section.collection, create_row);
    add(Method::get, section.record_path, "Show", section.collection, show_row);
    add(Method::patch, section.record_path, "Change the fields that are named", section.collection, change_row);
    add(Method::del, section.record_path, "Delete", section.collection, delete_row);
  }
  static constexpr RouteLine kCustomerRoutes[] = {
      {Method::get, "/api/customers", "List", list_customers},
      {Method::post, "/api/customers", "Add: {\"name\", \"contracts\"?}", create_customer},
      {Method::patch, "/api/customers/{id}", "Change, by name", change_customer},
      {Method::del, "/api/customers/{id}", "Remove, by name", delete_customer},
  };
  for (api::Route& route : make_routes(*this, kCustomerRoutes)) routes.push_back(std::move(route));
  return routes;
}

}  // namespace syncline::local
