#pragma once
// Written to the EVP interface of OpenSSL 3; anything deprecated there is hidden from Swift.
#ifndef OPENSSL_NO_DEPRECATED
#define OPENSSL_NO_DEPRECATED
#endif
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/rand.h>

/// `EVP_PKEY_PUBLIC_KEY` is put together of other macros, and Swift imports no such macro.
static inline int c_pkey_public_key(void) { return EVP_PKEY_PUBLIC_KEY; }

/// Names the numbers of an RSA key. A builder keeps the addresses of names, and that of a Swift string lasts for one call.
static inline int c_param_push_rsa(OSSL_PARAM_BLD *builder, const BIGNUM *modulus, const BIGNUM *exponent) {
    return OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
           OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) == 1;
}

/// Names a point of P-256, for the same reason; the point must stay where it is until the parameters are made.
static inline int c_param_push_p256(OSSL_PARAM_BLD *builder, const unsigned char *point, size_t size) {
    return OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1 &&
           OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, size) == 1;
}

/// Says which digest an HMAC works with; the address of the name is kept for this call alone.
static inline int c_mac_set_digest(EVP_MAC_CTX *context, const char *name) {
    OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)name, 0),
                               OSSL_PARAM_construct_end()};
    return EVP_MAC_CTX_set_params(context, parameters) == 1;
}
