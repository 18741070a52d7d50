// SPDX-License-Identifier: Apache-2.0
// A pointer to one member of a Config whose type is known at run time: how the option table reaches
// the plain structs. Owns nothing; good as long as the Config it was made from, and until one of
// its lists is resized. Thread: any.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "config/config.hpp"

namespace wiretally {

// An enum of one octet. Access through unsigned char is what the aliasing rules allow.
struct EnumField {
  unsigned char* value = nullptr;
};

// A set of names, each of which is one bool.
struct NameSetField {
  std::vector<std::pair<std::string_view, bool*>> names;
};

// A list of structs.
struct EntriesField {
  void* list = nullptr;
  std::size_t (*size)(const void*) = nullptr;
  void (*resize)(void*, std::size_t) = nullptr;
};

using Field =
    std::variant<std::monostate, bool*, std::uint16_t*, std::uint32_t*, std::uint64_t*,
                 std::string*, std::chrono::nanoseconds*, EnumField, std::vector<std::string>*,
                 std::vector<std::uint32_t>*, NameSetField, EntriesField>;

template <class Enum>
requires std::is_enum_v<Enum> &&(sizeof(Enum) == 1) Field field_of(Enum& member) {
  return EnumField{reinterpret_cast<unsigned char*>(&member)};
}

template <class Struct>
requires std::is_class_v<Struct> Field field_of(std::vector<Struct>& member) {
  using List = std::vector<Struct>;
  return EntriesField{&member,
                      [](const void* list) { return static_cast<const List*>(list)->size(); },
                      [](void* list, std::size_t size) { static_cast<List*>(list)->resize(size); }};
}

inline Field field_of(bool& member) {
  return &member;
}
inline Field field_of(std::uint16_t& member) {
  return &member;
}
inline Field field_of(std::uint32_t& member) {
  return &member;
}
inline Field field_of(std::uint64_t& member) {
  return &member;
}
inline Field field_of(std::string& member) {
  return &member;
}
inline Field field_of(std::chrono::nanoseconds& member) {
  return &member;
}
inline Field field_of(std::vector<std::string>& member) {
  return &member;
}
inline Field field_of(std::vector<std::uint32_t>& member) {
  return &member;
}

inline Field field_of(KeyConfig& key) {
  return NameSetField{{{"hosts", &key.addresses},
                       {"proto", &key.protocol},
                       {"ports", &key.ports},
                       {"vlan", &key.vlan},
                       {"ingress", &key.ingress},
                       {"macs", &key.macs}}};
}

}  // namespace wiretally
