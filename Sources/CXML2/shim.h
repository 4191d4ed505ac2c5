#pragma once
// Debian's libxml2 decodes through ICU and its headers include ICU's, whose types clash with those
// of the ICU inside Foundation as soon as one compilation sees both. Nothing here touches them: only
// the members of a handler for encodings, of which no header that is used here holds one by value.
#include <libxml/xmlversion.h>
#undef LIBXML_ICU_ENABLED
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/xmlerror.h>
