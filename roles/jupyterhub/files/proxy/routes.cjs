// SPDX-FileCopyrightText: hpcampus contributors
// SPDX-License-Identifier: BSD-3-Clause
"use strict";

// Storage backend of configurable-http-proxy: its own memory store, copied to a file at every change of a route,
// so that a restarted proxy serves running notebooks at once and not only after the hub's next look.

const fs = require("node:fs");
const { MemoryStore } = require("configurable-http-proxy/lib/store.js");

const FILE = `${process.env.RUNTIME_DIRECTORY}/routes.json`;

class RoutesFile extends MemoryStore {
  constructor(options) {
    super(options);
    for (const [path, data] of Object.entries(readRoutes())) {
      super.add(path, { ...data, last_activity: new Date() });
    }
  }

  add(path, data) {
    return super.add(path, data).then(() => this.save());
  }

  remove(path) {
    return super.remove(path).then((route) => {
      this.save();
      return route;
    });
  }

  save() {
    fs.writeFileSync(`${FILE}.new`, JSON.stringify(this.routes), { mode: 0o600 });
    fs.renameSync(`${FILE}.new`, FILE);
    return null;
  }
}

function readRoutes() {
  try {
    return JSON.parse(fs.readFileSync(FILE, "utf8"));
  } catch (error) {
    if (error.code !== "ENOENT") {
      console.error(`hpcampus: ${FILE} is not used: ${error.message}. The hub sends its routes again.`);
    }
    return {};
  }
}

module.exports = RoutesFile;
