#include "server/app/office_session.h"

const char *office_provider_name(const struct office_call *call)
{
    (void)call;
    return "";
}
