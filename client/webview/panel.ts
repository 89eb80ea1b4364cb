/** The panel's page. */
export {}
