#pragma once

#include "router/key_value.h"

/// Keys of MySQL columns (values/mysql_type.h). A constant compared with an integer column is read as an
/// integer where it is one; a string that the server might compare as a double, or cut off, rounds or fills in
/// on its way into the column, is no key. Internal to router/.
namespace anabranch::router {

bool mysql_holds_keys(KeyType scheme_type, values::Oid column_type);
KeyConversion mysql_key_for_comparison(const KeyColumn& column, const KeyConstant& constant);
KeyConversion mysql_key_for_storage(const KeyColumn& column, const KeyConstant& constant);

}  // namespace anabranch::router
