import type { DirectProperty, Shape } from './direct-settings.ts';

const TEXTS: Shape = { list: 'text' };

/** CORS of function URLs and HTTP APIs. `absent`: what an API without it has. */
export const CORS = {
  shape: {
    members: {
      AllowCredentials: { shape: 'boolean', absent: false },
      AllowHeaders: { shape: TEXTS, absent: [] },
      AllowMethods: { shape: TEXTS, absent: [] },
      AllowOrigins: { shape: TEXTS, absent: [] },
      ExposeHeaders: { shape: TEXTS, absent: [] },
      MaxAge: { shape: 'number', absent: 0 },
    },
  },
  absent: {
    AllowCredentials: false,
    AllowHeaders: [],
    AllowMethods: [],
    AllowOrigins: [],
    ExposeHeaders: [],
    MaxAge: 0,
  },
} as const satisfies Pick<DirectProperty, 'shape' | 'absent'>;
