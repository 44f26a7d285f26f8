/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Nothing of it is used. */
