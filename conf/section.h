#pragma once

#include <algorithm>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "conf/reader.h"
#include "conf/reference.h"

namespace anabranch::conf {

/// One row of a section's table: how a setting is described, and how it is read into the model.
template <class T>
struct Field {
  std::string_view name;
  std::string_view type;
  std::string_view fallback;
  bool required;
  bool reloadable;
  std::string_view doc;
  std::function<void(Reader&, const Node&, T&)> read;
};

/// Reads a map by its table: unknown keys are errors with the nearest known key, required ones must
/// be there. Fields are read in the table's order, whatever the file's. False if it is no map.
template <class T>
bool read_section(Reader& reader, const Node& node, std::span<const Field<T>> fields, T& into) {
  if (!reader.is_map(node)) return false;
  std::vector<std::string_view> known;
  for (const Field<T>& field : fields) known.push_back(field.name);
  for (const Node::Entry& entry : node.entries) {
    if (std::ranges::find(known, entry.key) == known.end()) {
      reader.unknown(entry.where, "key", entry.key, known);
    }
  }
  for (const Field<T>& field : fields) {
    const Node::Entry* entry = node.find(field.name);
    if (entry != nullptr) {
      const Reader::Scope scope(reader, entry->key, entry->where);
      field.read(reader, entry->value, into);
    } else if (field.required) {
      reader.error(reader.here(), "`" + std::string(field.name) + "` is missing (expected " +
                                      std::string(field.type) + ")");
    }
  }
  return true;
}

template <class T>
void document_section(std::string_view section, std::span<const Field<T>> fields,
                      std::vector<SettingDoc>& into) {
  for (const Field<T>& field : fields) {
    into.push_back({section, field.name, field.type, field.fallback, field.required,
                    field.reloadable, field.doc});
  }
}

// Readers for the common kinds of settings, made from a pointer to where the value goes.

template <class T, class V>
auto whole(V T::* member, std::uint64_t least, std::uint64_t most) {
  return [=](Reader& reader, const Node& node, T& into) {
    if (const auto value = reader.whole(node, least, most)) into.*member = static_cast<V>(*value);
  };
}

template <class T, class E>
auto choice(E T::* member, std::span<const std::string_view> choices) {
  return [=](Reader& reader, const Node& node, T& into) {
    if (const auto value = reader.choice(node, choices)) into.*member = static_cast<E>(*value);
  };
}

template <class T>
auto duration(Milliseconds T::* member, bool zero_allowed) {
  return [=](Reader& reader, const Node& node, T& into) {
    if (const auto value = reader.duration(node, zero_allowed)) into.*member = *value;
  };
}

template <class T, class S>
auto text(S T::* member) {
  return [=](Reader& reader, const Node& node, T& into) {
    if (auto value = reader.string(node)) into.*member = std::move(*value);
  };
}

template <class T>
auto boolean(bool T::* member) {
  return [=](Reader& reader, const Node& node, T& into) {
    if (const auto value = reader.boolean(node)) into.*member = *value;
  };
}

}  // namespace anabranch::conf
