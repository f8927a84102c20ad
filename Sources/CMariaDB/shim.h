#pragma once
#include <mysql.h>

/// `mysql_options` takes an untyped pointer; for these options it reads an `unsigned int`.
static inline int c_mysql_set_number(MYSQL *handle, enum mysql_option option, unsigned int number) {
    return mysql_options(handle, option, &number);
}

/// `mysql_options` takes an untyped pointer; for these options it reads a `my_bool`.
static inline int c_mysql_set_flag(MYSQL *handle, enum mysql_option option, int on) {
    my_bool flag = on ? 1 : 0;
    return mysql_options(handle, option, &flag);
}

/// `mysql_options` takes an untyped pointer; for these options it copies a C string.
static inline int c_mysql_set_text(MYSQL *handle, enum mysql_option option, const char *text) {
    return mysql_options(handle, option, text);
}
