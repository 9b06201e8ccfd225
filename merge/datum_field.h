#pragma once

#include "merge/batch.h"
#include "values/datum.h"

namespace anabranch::merge {

/// Adds a value to a row, NULL included.
inline void add_datum(RowWriter& row, const values::Datum& datum, values::Format format,
                      const values::PrintSettings& settings = {}) {
  if (datum.is_null()) {
    row.add(std::nullopt);
    return;
  }
  values::encode(datum, format, settings, row.begin_field());
  row.end_field();
}

}  // namespace anabranch::merge
